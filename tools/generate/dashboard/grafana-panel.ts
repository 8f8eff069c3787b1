import {
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as GaugeBuilder } from '@grafana/grafana-foundation-sdk/gauge';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { PanelBuilder as TrendBuilder } from '@grafana/grafana-foundation-sdk/trend';
import { jobLabel, namespaceLabel } from '../promql.ts';
import { type Panel, type Query, stateNumbers } from './panel.ts';
import { curveLabel, elapsedLegend, maxSteps, valueLegend } from './since-start-panels.ts';

export const source = { type: 'prometheus', uid: `\${datasource}` };

/** A panel as Grafana has it. */
export function grafanaPanel(panel: Panel) {
  switch (panel.kind) {
    case 'curves':
      return common(panel, curves());
    case 'since start':
      return common(panel, sinceStart(panel.queries), 'range table');
    case 'gauge':
      return common(panel, gauge());
    case 'stat':
      return common(panel, stat(panel));
    case 'states':
      return common(panel, states());
    case 'table':
      return common(panel, table(panel.queries), 'table');
  }
}

type Builder =
  | TimeseriesBuilder
  | TrendBuilder
  | StatBuilder
  | GaugeBuilder
  | StateTimelineBuilder
  | TableBuilder;

/** A table holds one value of each series, a range table each value with its time. */
type Format = 'curves' | 'table' | 'range table';

function common<B extends Builder>(panel: Panel, builder: B, format: Format = 'curves'): B {
  const { title, description, width, height, unit, min, max, queries } = panel;
  builder.title(title).description(description).span(width).height(height).datasource(source);
  if (unit !== undefined) builder.unit(unit);
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  for (const [index, query] of queries.entries()) builder.withTarget(target(query, index, format));
  return builder;
}

function target({ expr, legend }: Query, index: number, format: Format) {
  const query = new DataqueryBuilder().refId(refId(index)).expr(expr).legendFormat(legend);
  if (format !== 'curves') query.format(PromQueryFormat.Table);
  return format === 'table' ? query.instant() : query.range();
}

/** Grafana's name for the values of a query in a table. */
const valueColumn = (index: number) => `Value #${refId(index)}`;

const refId = (index: number) => String.fromCharCode('A'.charCodeAt(0) + index);

const curves = () => lines(new TimeseriesBuilder());

function lines<B extends TimeseriesBuilder | TrendBuilder>(builder: B): B {
  builder
    .lineWidth(1)
    .fillOpacity(5)
    .showPoints(VisibilityMode.Auto)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  return builder;
}

/**
 * Turns the rows of both queries (time, curve, elapsed or value) into one column for each curve, and the elapsed time of all
 * curves before them.
 */
function sinceStart(queries: readonly Query[]): TrendBuilder {
  const names = Object.fromEntries(queries.map(({ legend }, index) => [valueColumn(index), legend]));
  return (
    lines(new TrendBuilder())
      .maxDataPoints(maxSteps)
      // Two curves seldom have a value at the same elapsed time.
      .spanNulls(true)
      .withTransformation({ id: 'merge', options: {} })
      .withTransformation({ id: 'organize', options: { renameByName: names } })
      .withTransformation({ id: 'sortBy', options: { sort: [{ field: elapsedLegend }] } })
      .withTransformation({
        id: 'groupingToMatrix',
        options: {
          columnField: curveLabel,
          rowField: elapsedLegend,
          valueField: valueLegend,
          emptyValue: 'null',
        },
      })
      // Some versions of Grafana name the column after the row field and the column field.
      .overrideByRegexp(`/^${elapsedLegend}/`, [{ id: 'unit', value: 's' }])
  );
}

const gauge = () => new GaugeBuilder().reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));

function stat({ states }: Panel): StatBuilder {
  const builder = new StatBuilder()
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .textMode(BigValueTextMode.Auto)
    .graphMode(BigValueGraphMode.None);
  return states ? builder.mappings([stateMapping]) : builder;
}

const states = () =>
  new StateTimelineBuilder()
    .mappings([stateMapping])
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(false),
    );

const stateMapping: ValueMapping = {
  type: MappingType.ValueToText,
  options: Object.fromEntries(
    Object.entries(stateNumbers).map(([text, { number, color }]) => [number, { text, color, index: number }]),
  ),
};

/** The answers side by side, joined by job; each query is a column under its legend. */
function table(queries: readonly Query[]): TableBuilder {
  const columns = queries.map(({ legend }, index) => [valueColumn(index), legend] as const);
  const order = [namespaceLabel, jobLabel, ...columns.map(([value]) => value)];
  const builder = new TableBuilder()
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        renameByName: { [namespaceLabel]: 'Namespace', [jobLabel]: 'Job', ...Object.fromEntries(columns) },
      },
    })
    .overrideByName('State', [{ id: 'mappings', value: [stateMapping] }]);
  for (const { legend, unit } of queries) {
    if (unit !== undefined) builder.overrideByName(legend, [{ id: 'unit', value: unit }]);
  }
  return builder;
}
