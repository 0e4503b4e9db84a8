/** The look of a report: system fonts, one column, figures on cards, light and dark by the reader's setting. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1c2128; --muted: #626b77; --rule: #dfe3e8; --accent: #2f66c4;
  --info: #e9f0fc; --warning: #fdf3d8; --error: #fce8e6; --stripe: #f6f7f9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111418; --card: #191d23; --ink: #e4e8ee; --muted: #98a2af; --rule: #2c333c; --accent: #82aef5;
    --info: #1b2a44; --warning: #3a3113; --error: #43201f; --stripe: #1e232a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
}
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 44px; padding-bottom: 4px; }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 6px; }
h2 { font-size: 19px; letter-spacing: -0.01em; margin: 44px 0 12px; padding-top: 14px; border-top: 1px solid var(--rule); }
p { margin: 0 0 14px; max-width: 78ch; }
figcaption, caption, footer { color: var(--muted); }
.subtitle { font-size: 17px; margin: 10px 0 0; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 20px 0 0; font-size: 14px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 26px 0 0; }
.facts div { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 16px; }
.facts dt { color: var(--muted); font-size: 12.5px; }
.facts dd { margin: 2px 0 0; font-size: 19px; font-weight: 600; letter-spacing: -0.01em; overflow-wrap: anywhere; }
.figures { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; margin: 0 0 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 10px 6px; max-width: 100%; }
figure svg, figure img { display: block; max-width: 100%; height: auto; }
figure svg { color: var(--ink); }
figure img { border-radius: 4px; max-width: calc(100% - 20px); margin: 4px 10px; }
figcaption { font-size: 13px; line-height: 1.45; margin: 8px 14px 4px; max-width: 70ch; }
.table { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; overflow-x: auto; margin: 0 0 16px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
caption { caption-side: top; text-align: left; padding: 12px 16px 4px; font-size: 13px; }
th, td { text-align: left; padding: 8px 16px; border-top: 1px solid var(--rule); white-space: nowrap; }
thead th { border-top: 0; color: var(--muted); font-weight: 600; font-size: 13px; }
tbody tr:nth-child(even) { background: var(--stripe); }
tr.highlight td, td.bold { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.notice { border-radius: 8px; padding: 10px 16px; margin: 0 0 14px; max-width: none; }
.info { background: var(--info); } .warning { background: var(--warning); } .error { background: var(--error); }
details { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 10px 16px; margin: 0 0 12px; }
summary { cursor: pointer; font-weight: 600; }
pre { overflow-x: auto; font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; margin: 10px 0 4px; }
footer { font-size: 13px; padding-top: 34px; padding-bottom: 48px; }
@media print {
  body { background: #fff; } nav { display: none; }
  figure, .table, .facts div { break-inside: avoid; }
}
`;
