import { parseAllDocuments } from 'yaml';
import { readFile } from './template.ts';

const [, deployment] = parseAllDocuments(readFile('k8s/base/otel-collector.yaml'));
const image = deployment?.getIn(['spec', 'template', 'spec', 'containers', 0, 'image']);

const header = `# Generated from otel-collector.yaml by \`npm run generate\`, which overwrites edits.
# The Collector as a resource of the OpenTelemetry Operator. For a resource named otel, the operator creates the Service
# otel-collector, which is the default of OTEL_EXPORTER_OTLP_ENDPOINT in the sidecar.
apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata:
  name: otel
spec:
  mode: deployment
  # One only: each Collector keeps showing the last value of every series it has received.
  replicas: 1
  image: ${image}
  resources:
    requests: {cpu: 100m, memory: 256Mi}
    # memory_limiter takes its percentages of this.
    limits: {memory: 512Mi}
  config:
`;

export const collectorExample = () => header + readFile('otel-collector.yaml').replaceAll(/^(?=.)/gm, '    ');
