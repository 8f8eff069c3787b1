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
import { jobLabel, namespaceLabel } from '../promql.ts';
import { type Panel, type Query, stateNumbers } from './panel.ts';

export const source = { type: 'prometheus', uid: `\${datasource}` };

/** A panel as Grafana has it. */
export function grafanaPanel(panel: Panel) {
  switch (panel.kind) {
    case 'curves':
      return common(panel, curves());
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

type Builder = TimeseriesBuilder | StatBuilder | GaugeBuilder | StateTimelineBuilder | TableBuilder;

function common<B extends Builder>(panel: Panel, builder: B, format: 'table' | 'curves' = 'curves'): B {
  const { title, description, width, height, unit, min, max, queries } = panel;
  builder.title(title).description(description).span(width).height(height).datasource(source);
  if (unit !== undefined) builder.unit(unit);
  if (min !== undefined) builder.min(min);
  if (max !== undefined) builder.max(max);
  for (const [index, query] of queries.entries()) builder.withTarget(target(query, index, format));
  return builder;
}

function target({ expr, legend }: Query, index: number, format: 'table' | 'curves') {
  const query = new DataqueryBuilder().refId(refId(index)).expr(expr).legendFormat(legend);
  return format === 'table' ? query.instant().format(PromQueryFormat.Table) : query.range();
}

const refId = (index: number) => String.fromCharCode('A'.charCodeAt(0) + index);

const curves = () =>
  new TimeseriesBuilder()
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
  const columns = queries.map(({ legend }, index) => [`Value #${refId(index)}`, legend] as const);
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
