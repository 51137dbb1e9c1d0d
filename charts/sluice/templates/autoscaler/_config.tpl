{{/* Its scalers as `name` and spec, with this release's proxies where none are named. */}}
{{- define "sluice.autoscaler.scalers" -}}
{{- $pools := list -}}
{{- range .Values.proxy.config.pools -}}
{{- $pools = append $pools .name -}}
{{- end -}}
{{- $service := printf "%s-admin" (include "sluice.fullname" .) -}}
{{- $out := list -}}
{{- range $i, $each := .Values.autoscaler.scalers -}}
{{- if not (or $each.proxies (has $each.pool $pools)) -}}
{{- fail (printf "autoscaler.scalers[%d].pool: no pool of proxy.config.pools is named %q; there are %s" $i $each.pool (join ", " $pools)) -}}
{{- end -}}
{{- $out = append $out (merge (deepCopy $each) (dict "proxies" (dict "service" $service "port" 9901))) -}}
{{- end -}}
{{- $out | toJson -}}
{{- end -}}

{{/* The autoscaler's file: the values, and what only the chart knows. */}}
{{- define "sluice.autoscaler.config" -}}
{{- $config := deepCopy .Values.autoscaler.config -}}
{{- $token := "file:/etc/sluice/admin/token" -}}
{{- $_ := set $config "admin" "0.0.0.0:9902" -}}
{{- $_ := set $config "admin_token" $token -}}
{{- $cluster := dict "namespace" .Release.Namespace "lease" (printf "%s-autoscaler" (include "sluice.fullname" .)) "proxies_token" $token -}}
{{- $_ := set $config "kubernetes" (merge $cluster (default dict $config.kubernetes)) -}}
{{- $scalers := list -}}
{{- if not (dig "kubernetes" "resources" true $config) -}}
{{- range include "sluice.autoscaler.scalers" . | fromJsonArray -}}
{{- $scalers = append $scalers (omit . "name") -}}
{{- end -}}
{{- end -}}
{{- $_ := set $config "scalers" $scalers -}}
{{- toYaml $config -}}
{{- end -}}
