"""How a dashboard of Grafana is written (classic JSON, "v1"): the part that is the same for every panel.

What the panels say is in generate. Standard library only.
"""
import json

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLOURS = ("green", "#EAB839", "red")  # as far as a threshold, beyond the first one, beyond the second
WIDTH, ROW_HEIGHT = 24, 1

# What stands for the variables in an expression.
SELECTORS = {
    "<proxies>": 'namespace=~"$namespace"',
    "<pools>": 'namespace=~"$namespace",pool=~"$pool"',
    "<models>": 'namespace=~"$namespace",pool=~"$pool",gen_ai_request_model=~"$model"',
}


def expression(text):
    for word, selector in SELECTORS.items():
        text = text.replace(word, selector)
    return " ".join(text.split())


def targets(queries, kind):
    out = []
    for i, (expr, legend) in enumerate(queries):
        target = {"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expression(expr), "legendFormat": legend,
                  "editorMode": "code", "range": kind != "table", "instant": kind == "table"}
        if kind in ("table", "heatmap"):
            target["format"] = kind
        out.append(target)
    return out


def steps(limits, below):
    """Green up to the first limit; with below=True red up to the first and green beyond the last."""
    colours = COLOURS[::-1] if below else COLOURS
    if len(limits) == 1:
        colours = (colours[0], colours[2])
    return [{"color": c, "value": v} for c, v in zip(colours, [None] + list(limits))]


class Panel:
    """One panel.

    title, unit, queries: [(expression, legend)], says: what it shows and what to do about it, empty: what no data means
    limits: thresholds that colour it, below=True when small is bad; least: where its axis begins; most: where it ends
    """

    def __init__(self, kind, title, unit, queries, says, empty, limits=(), below=False, least=0, most=None, width=8,
                 height=8, stack=False, decimals=None, states=None, hide=()):
        self.kind, self.title, self.unit, self.width, self.height = kind, title, unit, width, height
        self.queries, self.says, self.empty = queries, says, empty
        self.limits, self.below, self.least, self.most = limits, below, least, most
        self.stack, self.decimals, self.states, self.hide = stack, decimals, states, hide

    def json(self, number, x, y):
        out = {"id": number, "type": self.kind, "title": self.title, "description": f"{self.says}\n\nNo data: {self.empty}",
               "datasource": DATASOURCE, "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
               "targets": targets(self.queries, self.kind), "fieldConfig": {"defaults": self.defaults(), "overrides": []},
               "options": getattr(self, self.kind.replace("-", "_"))()}
        if self.kind == "table":
            out["transformations"] = [{"id": "organize", "options": {
                "excludeByName": {name: True for name in ("Time",) + tuple(self.hide)}, "renameByName": {"Value": self.title}}}]
        return out

    def defaults(self):
        out = {"unit": self.unit, "noValue": "no data", "color": {"mode": "palette-classic"}}
        if self.decimals is not None:
            out["decimals"] = self.decimals
        if self.limits:
            out["thresholds"] = {"mode": "absolute", "steps": steps(self.limits, self.below)}
            if self.kind in ("stat", "bargauge"):
                out["color"] = {"mode": "thresholds"}
        if self.kind in ("timeseries", "bargauge"):
            out.update({k: v for k, v in (("min", self.least), ("max", self.most)) if v is not None})
        if self.kind == "timeseries":
            out["custom"] = {"lineWidth": 1, "fillOpacity": 30 if self.stack else 5, "showPoints": "never", "spanNulls": False,
                             "stacking": {"mode": "normal" if self.stack else "none", "group": "A"},
                             "thresholdsStyle": {"mode": "dashed" if self.limits else "off"}}
        if self.states:
            out["mappings"] = [{"type": "value", "options": {
                str(value): {"text": text, "color": colour, "index": i} for i, (value, text, colour) in enumerate(self.states)}}]
            out["color"] = {"mode": "thresholds"}
            out["custom"] = {"fillOpacity": 80, "lineWidth": 0}
        return out

    def stat(self):
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value",
                "graphMode": "area", "justifyMode": "auto", "textMode": "auto", "orientation": "auto"}

    def bargauge(self):
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "displayMode": "lcd",
                "orientation": "horizontal", "showUnfilled": True}

    def timeseries(self):
        return {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"], "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"}}

    def table(self):
        return {"showHeader": True, "cellHeight": "sm"}

    def heatmap(self):
        return {"calculate": False, "cellGap": 1, "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5},
                "yAxis": {"unit": self.unit, "axisPlacement": "left"}, "filterValues": {"le": 1e-9},
                "tooltip": {"mode": "single", "yHistogram": True}, "legend": {"show": True}}

    def state_timeline(self):
        return {"mergeValues": True, "showValue": "never", "rowHeight": 0.9,
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "single"}}


def variable(name, label, query):
    """All is every value, and no label too: Prometheus without Kubernetes gives no namespace."""
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": expression(query),
            "query": {"query": expression(query), "refId": name}, "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}


NAMESPACE = variable("namespace", "Namespace", "label_values(sluice_build_info, namespace)")
POOL = variable("pool", "Pool", "label_values(sluice_queue_depth{<proxies>}, pool)")
MODEL = variable("model", "Model", "label_values(gen_ai_server_time_to_first_token_seconds_count{<pools>}, gen_ai_request_model)")


def annotation(name, colour, expr, title, value_is_time=False):
    return {"name": name, "enable": True, "iconColor": colour, "datasource": DATASOURCE, "expr": expression(expr),
            "titleFormat": title, "step": "15s", "useValueForTime": "on" if value_is_time else False}


def dashboard(uid, title, says, variables, annotations, rows):
    """rows: {title: [panel]}, left to right, and on below where a row is full."""
    panels, y, number = [], 0, 1
    for heading, members in rows.items():
        panels.append({"id": number, "type": "row", "title": heading, "collapsed": False, "panels": [],
                       "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": ROW_HEIGHT}})
        number, y, x, tallest = number + 1, y + ROW_HEIGHT, 0, 0
        for panel in members:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            panels.append(panel.json(number, x, y))
            number, x, tallest = number + 1, x + panel.width, max(tallest, panel.height)
        y += tallest
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
              "current": {}, "hide": 0}
    return {"uid": uid, "title": title, "description": says, "tags": ["sluice"], "schemaVersion": 39, "version": 1, "id": None,
            "editable": True, "graphTooltip": 1, "refresh": "30s", "timezone": "browser", "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": [source, NAMESPACE] + variables}, "annotations": {"list": annotations}, "panels": panels,
            "links": [{"title": "Sluice", "type": "dashboards", "tags": ["sluice"], "asDropdown": True, "keepTime": True,
                       "includeVars": True}]}


def text(board):
    return json.dumps(board, indent=2, ensure_ascii=False) + "\n"
