{{/* The proxy's file: the values, and what only the chart knows. */}}
{{- define "sluice.proxy.config" -}}
{{- $config := deepCopy .Values.proxy.config -}}
{{- $_ := set $config "listen" "0.0.0.0:8080" -}}
{{- $_ := set $config "admin" "0.0.0.0:9901" -}}
{{- $_ := set $config "admin_token" "file:/etc/sluice/admin/token" -}}
{{- $names := dict -}}
{{- range $i, $pool := $config.pools -}}
{{- if hasKey $names .name -}}
{{- fail (printf "proxy.config.pools[%d].name: %q is already pools[%v]; give each pool its own name" $i .name (get $names .name)) -}}
{{- end -}}
{{- $_ := set $names .name $i -}}
{{- if and .kubernetes .dns -}}
{{- fail (printf "proxy.config.pools[%d].kubernetes: stands beside dns; write one of the two" $i) -}}
{{- end -}}
{{- if .kubernetes -}}
{{- $_ := set . "kubernetes" (merge .kubernetes (dict "namespace" $.Release.Namespace)) -}}
{{- end -}}
{{- end -}}
{{- if .Values.proxy.tls.secretName -}}
{{- $tls := dict "certificate" "/etc/sluice/tls/tls.crt" "key" "/etc/sluice/tls/tls.key" -}}
{{- if .Values.proxy.tls.clientCa -}}
{{- $_ := set $tls "client_ca" "/etc/sluice/tls/ca.crt" -}}
{{- end -}}
{{- $_ := set $config "tls" (merge $tls (default dict $config.tls)) -}}
{{- else if $config.tls -}}
{{- fail "proxy.config.tls has no effect without proxy.tls.secretName: name a Secret of type kubernetes.io/tls there" -}}
{{- end -}}
{{- if not $config.drain_timeout -}}
{{- $_ := set $config "drain_timeout" (dig "timeouts" "total_stream" "3600s" $config) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* A hash of those keys that a running proxy does not take over: only they replace pods. */}}
{{- define "sluice.proxy.restart" -}}
{{- $config := include "sluice.proxy.config" . | fromYaml -}}
{{- $fixed := omit $config "pools" "aliases" "keys" "limits" "timeouts" "headers" "memory" "drain_timeout" "server" -}}
{{- $_ := set $fixed "server" (pick (default dict $config.server) "loops" "transport" "reuse_port") -}}
{{- toYaml $fixed | sha256sum -}}
{{- end -}}

{{/* `1.5m` as 90: whole seconds, rounded up. Called with (list "value" "its name"). */}}
{{- define "sluice.seconds" -}}
{{- $text := index . 0 | toString -}}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?" $text -}}
{{- $seconds := get (dict "us" "0.000001" "ms" "0.001" "s" "1" "m" "60" "h" "3600" "d" "86400" "" "1") (regexFind "[a-z]*$" $text) -}}
{{- if not (and $number $seconds) -}}
{{- fail (printf "%s: %q has to be a time as 90s, because the pods' grace period follows from it" (index . 1) $text) -}}
{{- end -}}
{{- mulf $number $seconds | ceil | int -}}
{{- end -}}

{{/* From SIGTERM to SIGKILL: as long as the proxy may need for its streams, and a little. */}}
{{- define "sluice.proxy.grace" -}}
{{- $config := include "sluice.proxy.config" . | fromYaml -}}
{{- $stop := include "sluice.seconds" (list (dig "server" "stop_after" "5s" $config) "proxy.config.server.stop_after") | int -}}
{{- $drain := include "sluice.seconds" (list $config.drain_timeout "proxy.config.drain_timeout") | int -}}
{{- $least := add $stop $drain -}}
{{- $grace := .Values.proxy.terminationGracePeriodSeconds -}}
{{- if kindIs "invalid" $grace -}}
{{- add $least 15 -}}
{{- else if lt (int $grace) (int $least) -}}
{{- fail (printf "proxy.terminationGracePeriodSeconds: %d s would cut streams that the proxy still lets run for %d s; raise it, or lower proxy.config.drain_timeout" (int $grace) (int $least)) -}}
{{- else -}}
{{- $grace -}}
{{- end -}}
{{- end -}}

{{/* Namespaces in which pools look for endpoints, as a JSON list. */}}
{{- define "sluice.proxy.namespaces" -}}
{{- $config := include "sluice.proxy.config" . | fromYaml -}}
{{- $out := list -}}
{{- range $config.pools -}}
{{- if .kubernetes -}}
{{- $out = append $out .kubernetes.namespace -}}
{{- end -}}
{{- end -}}
{{- $out | uniq | sortAlpha | toJson -}}
{{- end -}}
