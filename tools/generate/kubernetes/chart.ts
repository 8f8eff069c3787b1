import { rulesYaml } from '../alerts/rules.ts';
import { dashboardJson } from '../dashboard/dashboard.ts';
import type { GeneratedFile } from '../generated-file.ts';
import { copyOf, include, type Replacement, readFile, type Template, templateOf } from './template.ts';

const chart = 'charts/ml-metrics-bridge';

const enabled = (...values: readonly string[]) =>
  values.length === 1 ? `.Values.${values[0]}` : `and ${values.map((it) => `.Values.${it}`).join(' ')}`;

/** Image, resources, further fields of the pod, and a restart when the configuration changes. */
function deployment(value: string, checksum?: string): readonly Replacement[] {
  const annotations = `      annotations:\n        checksum/config: {{ ${checksum} | sha256sum }}\n`;
  return [
    { pattern: /image: .*/, by: `image: {{ .Values.${value}.image }}` },
    { pattern: /resources:\n(?: {12}.*\n)+/, by: `resources: {{ toJson .Values.${value}.resources }}\n` },
    {
      pattern: /^ {4}spec:\n/,
      by: `    spec:\n      {{- with .Values.${value}.pod }}\n      {{- toYaml . | nindent 6 }}\n      {{- end }}\n`,
    },
    ...(checksum === undefined
      ? []
      : [{ pattern: /^ {4}metadata:\n/, by: `    metadata:\n${annotations}` } as const]),
  ];
}

const policies = {
  'default-deny': enabled('networkPolicies.enabled', 'networkPolicies.defaultDeny'),
  names: enabled('networkPolicies.enabled'),
  'otel-collector': enabled('networkPolicies.enabled', 'collector.enabled'),
  prometheus: enabled('networkPolicies.enabled', 'prometheus.enabled'),
  jaeger: enabled('networkPolicies.enabled', 'jaeger.enabled'),
  // Without the policy that denies everything else, it would take all other connections from the training.
  bridges: enabled('networkPolicies.enabled', 'networkPolicies.defaultDeny'),
};

const ofRelease = [
  '{{ if .Values.networkPolicies.defaultDeny }}{}{{ else }}',
  '{matchLabels: {app.kubernetes.io/part-of: ml-metrics-bridge}}{{ end }}',
].join('');

/** The labels by which the Prometheus of the operator selects a resource are a value of the chart. */
const selectable: Replacement = {
  pattern: /^ {2}labels:\n {4}release: .*\n {4}app\.kubernetes\.io\/component: otel-collector$/,
  by: [
    '  labels:',
    `    ${include(4, 'labels', 'otel-collector')}`,
    '    {{- with .Values.kubePrometheus.labels }}',
    '    {{- toYaml . | nindent 4 }}',
    '    {{- end }}',
  ].join('\n'),
};

const templates: Readonly<Record<string, Template>> = {
  'otel-collector.yaml': {
    source: 'base/otel-collector.yaml',
    condition: enabled('collector.enabled'),
    replacements: deployment('collector', 'include "ml-metrics-bridge.collectorConfig" .'),
  },
  'prometheus.yaml': {
    source: 'base/prometheus.yaml',
    condition: enabled('prometheus.enabled'),
    replacements: deployment(
      'prometheus',
      'printf "%s%s" (.Files.Get "files/prometheus.yml") (.Files.Get "files/rules.yaml")',
    ),
  },
  'jaeger.yaml': {
    source: 'base/jaeger.yaml',
    condition: enabled('jaeger.enabled'),
    replacements: deployment('jaeger'),
  },
  'network-policies.yaml': {
    source: 'base/network-policies.yaml',
    condition: policies,
    replacements: [{ pattern: /(name: names\n.*\nspec:\n {2}podSelector: )\{\}/, by: `$1${ofRelease}` }],
  },
  'network-policy-scrape.yaml': {
    source: 'components/kube-prometheus/network-policy.yaml',
    condition: enabled('networkPolicies.enabled', 'kubePrometheus.enabled', 'collector.enabled'),
  },
  'service-monitor.yaml': {
    source: 'components/kube-prometheus/service-monitor.yaml',
    condition: enabled('kubePrometheus.enabled', 'collector.enabled'),
    replacements: [selectable],
  },
};

/** The policy is one expression over many lines, so its text is kept. */
const admissionPolicy: Template = {
  source: 'admission/policy.yaml',
  condition: enabled('admission.enabled'),
  replacements: [
    {
      pattern: /^apiVersion: admissionregistration\.k8s\.io\/v1beta1$/,
      by: 'apiVersion: {{ include "ml-metrics-bridge.admissionVersion" . }}',
    },
    {
      pattern: /^(metadata:\n {2}name: ml-metrics-bridge)$/,
      by: `$1\n  labels:\n    ${include(4, 'labels', 'admission-policy')}`,
    },
    { pattern: /"'ml-metrics-bridge:latest'"/, by: `"'{{ .Values.bridge.image }}'"` },
    {
      pattern: /"'http:\/\/otel-collector\.ml-otel-demo:4317'"/,
      by: `"'{{ include "ml-metrics-bridge.endpoint" . }}'"`,
    },
    ...['requests', 'limits'].map((name) => ({
      pattern: new RegExp(`${name}: \\{[^}]*\\}`),
      by: `${name}: {{ include "ml-metrics-bridge.quantities" .Values.bridge.resources.${name} }}`,
    })),
  ],
};

/** Without the comments at the top, which say how to adapt the file by hand. */
const withoutIntroduction = (text: string) => text.replace(/^---\n(?:#.*\n)+/m, '---\n');

function chartYaml(): string {
  const { version, description } = JSON.parse(readFile('package.json'));
  return `# Generated from package.json by \`npm run generate\`.
apiVersion: v2
name: ml-metrics-bridge
description: ${description}
type: application
version: ${version}
appVersion: ${version}
kubeVersion: ">=1.29.0-0"
home: https://github.com/ml-metrics-bridge/ml-metrics-bridge
sources: [https://github.com/ml-metrics-bridge/ml-metrics-bridge]
keywords: [opentelemetry, machine-learning, training, metrics, prometheus, sidecar]
annotations:
  artifacthub.io/license: Apache-2.0
`;
}

/** What kustomize and the chart share is generated, so that the two cannot differ. */
export const chartFiles: readonly GeneratedFile[] = [
  { path: `${chart}/Chart.yaml`, render: chartYaml },
  ...Object.entries(templates).map(([name, template]) => ({
    path: `${chart}/templates/${name}`,
    render: () => templateOf(template),
  })),
  {
    path: `${chart}/templates/admission-policy.yaml`,
    render: () => withoutIntroduction(templateOf(admissionPolicy)),
  },
  { path: `${chart}/files/rules.yaml`, render: rulesYaml },
  { path: `${chart}/files/ml-training.json`, render: dashboardJson },
  copyOf('otel-collector.yaml', 'otel-collector.yaml'),
  copyOf('prometheus.yml', 'prometheus.yml'),
];
