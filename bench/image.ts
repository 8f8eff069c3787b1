// Size of the image, what of it is ours, and the size of the bundle in it.
import type { BenchmarkTable } from '../tools/generate/tables/performance.ts';
import { buildAsInImage } from './support/bundle.ts';
import { buildImage, docker, image } from './support/docker.ts';
import { readOptions } from './support/options.ts';
import { publish } from './support/result.ts';
import { bundleSizes } from './support/sizes.ts';
import { measured, significant } from './support/statistics.ts';

readOptions({});

const built = await buildAsInImage();
const { plain, gzip } = bundleSizes(built.folder);
built.remove();

/** Bytes of the whole image, and of those layers that are not the base's. */
function imageSizes(): { readonly whole: number; readonly ours: number } | undefined {
  if (!buildImage()) return undefined;
  const base = docker(
    'image',
    'inspect',
    '--format',
    '{{index .Config.Labels "org.opencontainers.image.base.name"}}',
    image,
  );
  const sizeOf = (name: string) => Number(docker('image', 'inspect', '--format', '{{.Size}}', name));
  const whole = sizeOf(image);
  return { whole, ours: whole - sizeOf(base) };
}

const sizes = imageSizes();
const row = (label: string, bytes: number) => ({ label, cells: [measured([bytes / 1e6], 'MB')] });
const table: BenchmarkTable = {
  title: 'Size',
  columns: ['What', 'Size'],
  rows: [
    ...(sizes
      ? [
          row('the image, Node in it', sizes.whole),
          row('of which ml-metrics-bridge: bundle, compile cache, licences', sizes.ours),
        ]
      : []),
    row('what the sidecar loads, `main.cjs`', plain),
    row('the same, gzip', gzip),
  ],
};
publish(
  'image',
  {},
  {
    tables: [table],
    targets: sizes
      ? [
          { what: 'Image, uncompressed', unit: 'MB', atMost: 200, measured: significant(sizes.whole / 1e6) },
          { what: 'Of the image ours', unit: 'MB', atMost: 3, measured: significant(sizes.ours / 1e6) },
        ]
      : [],
  },
);
