import { posix } from 'node:path';
import { bridgeSettings } from '../config/bridge.ts';
import { containerName, type MetricsMount } from './container.ts';
import { childItems, findNamed, stringField } from './fields.ts';
import type { InjectOptions } from './options.ts';
import type { Pod } from './pod.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { ManifestMap } from './yaml/values.ts';

const defaultFile = bridgeSettings.metricsFilePath.default;
const defaultFolder = posix.dirname(defaultFile);
const variable = bridgeSettings.metricsFilePath.variable;

/** The mount of the metrics file, and what has to be added for it. */
export interface MetricsPlan {
  readonly mount: MetricsMount;
  /** Whether the pod has the volume already. */
  readonly hasVolume: boolean;
  /** Containers that the mount has to be added to. */
  readonly without: readonly ManifestMap[];
}

/**
 * Finds the volume that the training container writes its metrics to: by --metrics-path or METRICS_FILE_PATH, else by the name of the
 * volume, else by the mount that contains the default path. If there is none, every container gets an empty volume.
 */
export function planMetrics(pod: Pod, options: InjectOptions): MetricsPlan {
  const trainers = candidates(pod, options);
  const declared = askedFile(pod, trainers, options) ?? declaredFile(pod, trainers);
  if (declared) {
    const found = mountOf(pod, declared.container, declared.path, options.volume);
    if (found) return presentMount(found, declared.file);
    if (declared.path !== undefined && posix.dirname(declared.path) !== defaultFolder)
      throw new ManifestProblem(
        `${label(pod, declared.container)} writes ${declared.path} (${declared.source}), which is on no volume: mount one at ${posix.dirname(declared.path)}`,
        declared.container,
      );
  } else {
    const byName = firstOf(trainers, (container) => mountNamed(pod, container, options.volume));
    if (byName) return presentMount(byName, { value: fileOn(byName) });
    const covering = firstOf(trainers, (container) => mountOver(pod, container, defaultFile));
    if (covering) return presentMount(covering, { value: defaultFile });
  }
  return {
    mount: {
      volume: options.volume,
      mountPath: defaultFolder,
      file: declared?.file ?? { value: defaultFile },
    },
    hasVolume: findNamed(childItems(pod.spec, 'volumes', pod.position), options.volume) !== undefined,
    without: pod.containers.filter((container) => mountOver(pod, container, defaultFile) === undefined),
  };
}

function candidates(pod: Pod, options: InjectOptions): readonly ManifestMap[] {
  checkContainer(pod, options);
  const { container } = options;
  return container === undefined ? pod.containers : pod.containers.filter(({ name }) => name === container);
}

/** Refuses a --container that the pod does not have. */
export function checkContainer({ containers, position }: Pod, { container }: InjectOptions): void {
  const names = containers.map((it) => stringField(it, 'name')).filter((name) => name !== containerName);
  if (container === undefined || names.includes(container)) return;
  throw new ManifestProblem(`${position} has no container ${container}; there are ${names.join(', ')}`);
}

interface DeclaredFile {
  readonly container: ManifestMap;
  readonly file: MetricsMount['file'];
  /** Undefined if it is read from a ConfigMap or similar. */
  readonly path: string | undefined;
  /** The variable or option that names it. */
  readonly source: string;
}

/** The file that the user names, in the first container that has a volume for it. */
function askedFile(
  pod: Pod,
  trainers: readonly ManifestMap[],
  { metricsPath: path }: InjectOptions,
): DeclaredFile | undefined {
  if (path === undefined) return undefined;
  const container = trainers.find((it) => mountOver(pod, it, path) !== undefined) ?? trainers[0];
  return container && { container, path, file: { value: path }, source: '--metrics-path' };
}

function declaredFile(pod: Pod, trainers: readonly ManifestMap[]): DeclaredFile | undefined {
  const all = trainers.flatMap((container) => {
    const entry = findNamed(childItems(container, 'env', label(pod, container)), variable);
    return entry ? [{ container, entry }] : [];
  });
  const [first, second] = all;
  if (first === undefined) return undefined;
  const { container, entry } = first;
  if (second !== undefined && stringField(second.entry, 'value') !== stringField(entry, 'value')) {
    const names = all.map((it) => stringField(it.container, 'name')).join(' and ');
    throw new ManifestProblem(
      `containers ${names} of ${pod.position} both set ${variable}: say which trains, --container NAME`,
      second.container,
    );
  }
  if (entry.valueFrom !== undefined)
    return { container, path: undefined, file: { valueFrom: entry.valueFrom }, source: variable };
  const path = String(entry.value ?? '');
  if (path.startsWith('/') && !path.includes('$('))
    return { container, path, file: { value: path }, source: variable };
  throw new ManifestProblem(
    `${label(pod, container)} has ${variable}=${path}: the bridge needs an absolute path that refers to no other variable`,
    entry,
  );
}

function mountOf(
  pod: Pod,
  container: ManifestMap,
  path: string | undefined,
  volume: string,
): ManifestMap | undefined {
  if (path !== undefined) return mountOver(pod, container, path);
  return mountNamed(pod, container, volume) ?? mountOver(pod, container, defaultFile);
}

const mountsOf = (pod: Pod, container: ManifestMap) =>
  childItems(container, 'volumeMounts', label(pod, container));
const mountNamed = (pod: Pod, container: ManifestMap, volume: string) =>
  findNamed(mountsOf(pod, container), volume);

/** The mount that contains a path: the deepest one above it. */
function mountOver(pod: Pod, container: ManifestMap, path: string): ManifestMap | undefined {
  const above = mountsOf(pod, container).filter((mount) => isOn(mount, path));
  return above.toSorted((a, b) => pathOf(b).length - pathOf(a).length)[0];
}

/** Whether a mount contains a path, or is at it: a log may be a folder. */
export const isOn = (mount: ManifestMap, path: string) =>
  `${posix.normalize(path)}/`.startsWith(`${pathOf(mount)}/`);

/** Refuses rank files that are on none of the bridge's mounts. */
export function checkRankFiles(pattern: string, mounts: readonly ManifestMap[], position: string): void {
  if (mounts.some((mount) => isOn(mount, pattern))) return;
  const paths = mounts.map((mount) => stringField(mount, 'mountPath')).join(', ');
  throw new ManifestProblem(
    `the rank files of ${position} are at ${pattern} (--rank-files), which the bridge does not mount: it has ${paths}`,
  );
}

/** The default path if the mount contains it, else the default file name in the mount. */
const fileOn = (mount: ManifestMap) =>
  isOn(mount, defaultFile) ? defaultFile : posix.join(pathOf(mount), posix.basename(defaultFile));

const pathOf = (mount: ManifestMap) =>
  posix.normalize(stringField(mount, 'mountPath') ?? '/').replace(/\/+$/, '');

function presentMount(mount: ManifestMap, file: MetricsMount['file']): MetricsPlan {
  const [mountPath, subPath, subPathExpr] = ['mountPath', 'subPath', 'subPathExpr'].map((key) =>
    stringField(mount, key),
  );
  const unknown = /\$\((?!POD_NAME\)|POD_NAMESPACE\)|NODE_NAME\))/.exec(subPathExpr ?? '');
  if (unknown)
    throw new ManifestProblem(
      `the metrics volume is mounted with subPathExpr ${subPathExpr}: the bridge has only POD_NAME, POD_NAMESPACE and NODE_NAME to say it with`,
    );
  const volume = stringField(mount, 'name') ?? '';
  return {
    mount: { volume, mountPath: mountPath ?? '', subPath, subPathExpr, file },
    hasVolume: true,
    without: [],
  };
}

function firstOf<T>(
  containers: readonly ManifestMap[],
  find: (container: ManifestMap) => T | undefined,
): T | undefined {
  for (const container of containers) {
    const found = find(container);
    if (found !== undefined) return found;
  }
  return undefined;
}

const label = (pod: Pod, container: ManifestMap) =>
  `container ${stringField(container, 'name')} of ${pod.position}`;
