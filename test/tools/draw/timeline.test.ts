import { expect, it } from 'vitest';
import { drawTimeline } from '../../../tools/draw/timeline.ts';

const picture = drawTimeline({
  title: 'An outage',
  seconds: 30,
  marked: { from: 10, to: 20, label: 'no Collector' },
  panels: [
    { title: 'Requests', curves: [{ name: 'with jitter', values: Array(30).fill(5) }] },
    { title: 'CPU', curves: [{ name: 'with jitter', values: Array(30).fill(0.5) }] },
  ],
});

it('draws each panel with its curves, the marked time and the seconds', () => {
  for (const shown of [
    '<title>An outage',
    '>Requests<',
    '>CPU<',
    '>no Collector<',
    '>with jitter<',
    '>15 s<',
  ])
    expect(picture).toContain(shown);
  expect(picture.match(/<polyline/g)).toHaveLength(2);
});

it('places the marked time where the curves are at that time', () => {
  const [, points = ''] = /<polyline points="([^"]+)"/.exec(picture) ?? [];
  const left = points.split(' ').map((point) => Number(point.split(',')[0]));
  const [, x, width] = /<rect x="([\d.]+)" y="0" width="([\d.]+)"[^>]+rgba/.exec(picture) ?? [];
  // The curve has its first value at the end of the first second.
  expect(Number(x)).toBeCloseTo(left[9] ?? 0, 1);
  expect(Number(x) + Number(width)).toBeCloseTo(left[19] ?? 0, 0);
});
