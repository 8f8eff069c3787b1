{{- /* Labels of pods: as those of kustomize, which must not change while a Deployment lives. */ -}}
{{- define "ml-metrics-bridge.selectors" -}}
app.kubernetes.io/name: ml-metrics-bridge
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: ml-metrics-bridge
{{- end }}

{{- define "ml-metrics-bridge.labels" -}}
{{ include "ml-metrics-bridge.selectors" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "ml-metrics-bridge.endpoint" -}}
{{ .Values.bridge.endpoint | default (printf "http://otel-collector.%s:4317" .Release.Namespace) }}
{{- end }}

{{- define "ml-metrics-bridge.admissionVersion" -}}
{{- $stable := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
admissionregistration.k8s.io/{{ .Values.admission.apiVersion | default (ternary "v1" "v1beta1" $stable) }}
{{- end }}

{{- /* The file itself if nothing is changed, with its comments. */ -}}
{{- define "ml-metrics-bridge.collectorConfig" -}}
{{- $file := .Files.Get "files/otel-collector.yaml" -}}
{{- if and .Values.jaeger.enabled (not .Values.collector.config) -}}
{{- $file -}}
{{- else -}}
{{- $config := fromYaml $file -}}
{{- if not .Values.jaeger.enabled -}}
{{- $_ := unset $config.exporters "otlp_grpc/jaeger" -}}
{{- $_ := unset $config.service.pipelines "traces" -}}
{{- end -}}
{{- toYaml (mergeOverwrite $config .Values.collector.config) -}}
{{- end -}}
{{- end }}

{{- /* Quantities as a map of CEL, in which all values are text. */ -}}
{{- define "ml-metrics-bridge.quantities" -}}
{{- $texts := dict }}
{{- range $name, $quantity := . }}
{{- $_ := set $texts $name (toString $quantity) }}
{{- end }}
{{- toJson $texts }}
{{- end }}
