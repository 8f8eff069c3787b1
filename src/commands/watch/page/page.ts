import uPlot from 'uplot';
import { duration } from '../../../cli/terminal/format.ts';
import type { JsonNumber, PageCurve, PageEvent, PageFile, PageState } from './messages.ts';

/** What the page shows; `data` is what is drawn, for tests. */
const shown: { files: readonly PageFile[]; receivedMs: number; data: PageCurve; version: string } = {
  files: [],
  receivedMs: 0,
  data: { x: [], values: [], companions: null },
  version: '',
};
Object.assign(globalThis, { watchPage: shown });

function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element ${id}`);
  return element as T;
}

const fileSelect = byId<HTMLSelectElement>('file');
const fieldSelect = byId<HTMLSelectElement>('field');
const chartElement = byId('chart');

const tones: Readonly<Record<string, string>> = {
  running: 'good',
  completed: 'good',
  stalled: 'warning',
  failed: 'bad',
};

const numberFormat = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 6 });
const format = (value: JsonNumber) => (typeof value === 'number' ? numberFormat.format(value) : value);

function element(tag: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

const chosenFile = (): PageFile | undefined => shown.files[Math.max(0, fileSelect.selectedIndex)];

/**
 * Replaces the options of a list only if they have changed, so that the focus stays. The choice stays, too: a run gets its
 * name once its file is there, and then it is still the same entry.
 */
function setOptions(select: HTMLSelectElement, texts: readonly string[]): void {
  if (texts.length === select.options.length && texts.every((it, i) => select.options[i]?.text === it))
    return;
  const { value, selectedIndex, length } = select;
  select.replaceChildren(...texts.map((text) => element('option', text)));
  if (texts.includes(value)) select.value = value;
  else if (length === texts.length) select.selectedIndex = selectedIndex;
}

function setText(id: string, text: string, className = ''): void {
  const target = byId(id);
  if (target.textContent !== text) target.textContent = text;
  target.className = className;
}

function showFile(): void {
  const file = chosenFile();
  if (file === undefined) return;
  document.title = `${file.name}: ${file.state}`;
  setText('name', file.name);
  byId('name').title = file.path;
  setText('state', file.state, tones[file.state] ?? 'faint');
  setText('place', file.place);
  const progress = byId<HTMLProgressElement>('progress');
  progress.hidden = file.share === null;
  progress.value = file.share ?? 0;
  byId('problem').hidden = file.problem === null;
  setText('problem', file.problem ?? '', 'bad');
  setOptions(
    fieldSelect,
    file.numbers.map(({ field }) => field),
  );
  byId('numbers').replaceChildren(...file.numbers.map(numberRow));
  showAge();
  showRuns();
  showEvents(file);
}

/** How long ago the file was written, which only the page counts on. */
function showAge(): void {
  const ageMs = chosenFile()?.ageMs ?? undefined;
  if (ageMs === undefined) return setText('age', '', 'faint');
  const seconds = Math.round((ageMs + performance.now() - shown.receivedMs) / 1000);
  setText('age', `written ${duration(seconds * 1000)} ago`, 'faint');
}

/** Several runs at a glance, with the metric whose curve is drawn. */
function showRuns(): void {
  byId('runs').hidden = shown.files.length < 2;
  if (shown.files.length < 2) return;
  setText('runs-field', fieldSelect.value);
  byId('runs-rows').replaceChildren(...shown.files.map(runRow));
}

function runRow(file: PageFile): HTMLElement {
  const row = document.createElement('tr');
  if (file === chosenFile()) row.setAttribute('aria-current', 'true');
  const name = element('th', file.name);
  name.setAttribute('scope', 'row');
  name.title = file.path;
  const value = file.numbers.find(({ field }) => field === fieldSelect.value)?.value;
  row.append(
    name,
    file.problem === null
      ? element('td', file.state, tones[file.state] ?? 'faint')
      : element('td', file.problem, 'bad'),
    element('td', file.share === null ? '' : `${(Math.floor(file.share * 1000) / 10).toFixed(1)} %`),
    element('td', file.step === null ? '' : format(file.step)),
    element('td', value === undefined ? '' : format(value), typeof value === 'string' ? 'bad' : ''),
  );
  return row;
}

function numberRow({ field, value, previous }: PageFile['numbers'][number]): HTMLElement {
  const row = document.createElement('tr');
  const name = element('th', field);
  name.setAttribute('scope', 'row');
  const changed = typeof value === 'number' && typeof previous === 'number' && value !== previous;
  const change = changed ? `${value > previous ? '+' : '−'}${format(Math.abs(value - previous))}` : '';
  row.append(
    name,
    element('td', format(value), typeof value === 'number' ? '' : 'bad'),
    element('td', change, 'faint'),
  );
  return row;
}

/** Those in the list, newest first, as text. */
let shownEvents: readonly string[] = [];

/** Only new events are added, because a screen reader reads what is added. */
function showEvents({ events }: PageFile): void {
  const list = byId('events');
  const texts = events.map((event) => JSON.stringify(event)).toReversed();
  const added = texts.indexOf(shownEvents[0] ?? '');
  const isContinued = added >= 0 && shownEvents.every((text, i) => text === (texts[i + added] ?? text));
  if (!isContinued) list.replaceChildren();
  const items = events.toReversed().map(eventItem);
  list.prepend(...items.slice(0, isContinued ? added : items.length));
  while (list.childElementCount > events.length) list.lastElementChild?.remove();
  shownEvents = texts;
}

function eventItem({ unixMs, tone, text }: PageEvent): HTMLElement {
  const at = new Date(unixMs);
  const isToday = at.toDateString() === new Date().toDateString();
  const time = element('time', isToday ? at.toLocaleTimeString() : at.toLocaleString());
  time.setAttribute('datetime', at.toISOString());
  const item = element('li', '');
  item.append(time, element('span', text, tone));
  return item;
}

let plot: uPlot | undefined;
const color = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function createPlot(): void {
  plot?.destroy();
  const axis = {
    stroke: color('faint'),
    grid: { stroke: color('line'), width: 1 },
    ticks: { stroke: color('line') },
  };
  const width = chartElement.clientWidth;
  const options: uPlot.Options = {
    width,
    height: 320,
    legend: { show: false },
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 70 }],
    series: [
      {},
      { stroke: color('curve'), width: 2, points: { show: shown.data.x.length < 60 } },
      { stroke: color('companion'), width: 2, spanGaps: true, points: { show: false } },
    ],
  };
  plot = new uPlot(options, plotData(), chartElement);
}

const plotData = (): uPlot.AlignedData => {
  const { x, values, companions } = shown.data;
  return [[...x], [...values], companions === null ? x.map(() => null) : [...companions]];
};

/** Draws the chosen curve and describes it in words. */
function drawCurve(): void {
  createPlot();
  const { values, x, companions } = shown.data;
  const field = fieldSelect.value;
  const last = values.at(-1);
  chartElement.ariaLabel =
    last === undefined
      ? `${field}: no values yet`
      : `${field}: ${format(last)} at step ${format(x.at(-1) ?? 0)}, lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}, ${values.length} points`;
  byId('legend').replaceChildren(
    element('span', field, 'curve'),
    ...(companions === null ? [] : [element('span', 'validation_loss', 'companion')]),
  );
}

async function loadCurve(): Promise<void> {
  const file = chosenFile();
  const version = `${fileSelect.selectedIndex} ${fieldSelect.value} ${file?.version}`;
  if (file === undefined || version === shown.version) return;
  shown.version = version;
  const query = new URLSearchParams({
    file: String(Math.max(0, fileSelect.selectedIndex)),
    field: fieldSelect.value,
  });
  const data = (await (await fetch(`/curve?${query}`)).json()) as PageCurve;
  // A later choice has overtaken this one.
  if (shown.version !== version) return;
  shown.data = data;
  drawCurve();
}

function show(): void {
  showFile();
  // Without the server the curve stays as it is; the next event draws it again.
  loadCurve().catch(() => {
    shown.version = '';
  });
}

const source = new EventSource('/events');
source.onmessage = ({ data }) => {
  shown.files = (JSON.parse(data) as PageState).files;
  shown.receivedMs = performance.now();
  byId('files').hidden = shown.files.length < 2;
  setOptions(
    fileSelect,
    shown.files.map(({ name, path }) => (name === path ? path : `${name} (${path})`)),
  );
  show();
};
source.onerror = () => {
  // A server that was restarted has a curve of its own.
  shown.version = '';
  setText('state', 'no connection, trying again', 'warning');
};
fileSelect.onchange = show;
fieldSelect.onchange = show;
setInterval(showAge, 1000);
new ResizeObserver(() => plot?.setSize({ width: chartElement.clientWidth, height: 320 })).observe(
  chartElement,
);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawCurve);
