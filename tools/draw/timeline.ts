import type { BenchmarkPicture } from '../generate/tables/performance.ts';
import { drawPanel } from './panel.ts';
import { document, rectangle, text } from './svg.ts';

const width = 900;
const panelHeight = 190;
/** Of the plot in a panel: left of it are the values, and the frame. */
const plot = { left: 76, right: 10 };
const axisHeight = 22;
const labelSeconds = 15;

/** Draws curves over seconds, one panel below the other, with the marked time behind them. */
export function drawTimeline({ title, seconds, marked, panels }: BenchmarkPicture): string {
  const range = { from: 0, to: seconds };
  const x = (second: number) => plot.left + (second / seconds) * (width - plot.left - plot.right);
  const height = panels.length * panelHeight + axisHeight;
  const drawn = panels.map((panel, index) =>
    drawPanel(
      {
        panel: {
          kind: 'curves',
          title: panel.title,
          description: '',
          width: 24,
          height: 6,
          min: 0,
          queries: panel.curves.map(({ name }) => ({ expr: '', legend: name })),
        },
        answers: panel.curves.map(({ values }) => [
          { labels: {}, points: values.map((value, second) => [second + 1, value] as const) },
        ]),
        range,
      },
      { x: 0, y: index * panelHeight, width, height: panelHeight },
    ),
  );
  const markedBox = { x: x(marked.from), y: 0, width: x(marked.to) - x(marked.from), height };
  const ticks = Array.from({ length: Math.floor(seconds / labelSeconds) + 1 }, (_, tick) => {
    const second = tick * labelSeconds;
    return text(x(second), height - 7, `${second} s`, {
      size: 10,
      anchor: second === seconds ? 'end' : 'middle',
    });
  });
  return document({ title, width, height }, [
    ...drawn,
    rectangle(markedBox, 'rgba(196,22,42,0.07)'),
    text(markedBox.x + 6, 34, marked.label, { size: 11, color: '#c4162a' }),
    ...ticks,
  ]);
}
