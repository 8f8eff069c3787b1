import { rulesYaml } from '../alerts/rules.ts';

const header = `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ml-metrics-bridge
  labels:
    # kube-prometheus-stack only selects objects with the name of its Helm release.
    release: kube-prometheus-stack
    app.kubernetes.io/component: alerts
spec:
`;

/** The rules file as a resource of the Prometheus Operator: the same lines, indented under `spec:`. */
export const prometheusRuleYaml = () => header + rulesYaml().replaceAll(/^(?=.)/gm, '  ');
