{{- define "reconciler.name" -}}
{{- if contains "reconciler" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-reconciler" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "reconciler.selector" -}}
app.kubernetes.io/name: reconciler
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "reconciler.labels" -}}
{{ include "reconciler.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "reconciler.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "reconciler.name" .) -}}
{{- end }}

{{- define "reconciler.configMap" -}}
{{- .Values.existingConfigMap | default (include "reconciler.name" .) -}}
{{- end }}
