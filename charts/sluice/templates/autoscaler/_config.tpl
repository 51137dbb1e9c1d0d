{{/* Its scalers as `name` and spec, with this release's proxies where none are named. */}}
{{- define "sluice.autoscaler.scalers" -}}
{{- $pools := list -}}
{{- range .Values.proxy.config.pools -}}
{{- $pools = append $pools .name -}}
{{- end -}}
{{- $service := printf "%s-admin" (include "sluice.fullname" .) -}}
{{- $out := list -}}
{{- $scaled := dict -}}
{{- range $i, $each := .Values.autoscaler.scalers -}}
{{- $at := printf "autoscaler.scalers[%d]" $i -}}
{{- $min := dig "min" 1 $each | int -}}
{{- $max := dig "max" 10 $each | int -}}
{{- if gt $min $max -}}
{{- fail (printf "%s.min: %d is above max %d; write min: %d or less" $at $min $max $max) -}}
{{- end -}}
{{- if and (eq $min 0) (not (dig "scaleToZero" "enabled" false $each)) -}}
{{- fail (printf "%s.min: 0 needs scaleToZero; write min: 1, or scaleToZero: {enabled: true}" $at) -}}
{{- end -}}
{{- range $key := ternary (list "name") (list "name" "pool") (hasKey $each "proxies") -}}
{{- $value := printf "%s %s" $key (get $each $key) -}}
{{- if hasKey $scaled $value -}}
{{- fail (printf "%s.%s: %q is already that of scalers[%v]; delete one, or change it" $at $key (get $each $key) (get $scaled $value)) -}}
{{- end -}}
{{- $_ := set $scaled $value $i -}}
{{- end -}}
{{- if not (or $each.proxies (has $each.pool $pools)) -}}
{{- fail (printf "%s.pool: no pool of proxy.config.pools is named %q; there are %s" $at $each.pool (join ", " $pools)) -}}
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
