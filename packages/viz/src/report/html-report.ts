/**
 * Reports: one HTML file with everything inside it (style, SVG, pictures as data). It opens from disk, mails and
 * archives well. It runs no script and may load nothing: its content security policy says so to the browser.
 */
import type { PixelImage } from '../drawing/image';
import { formatNumber } from '../drawing/number-format';
import { bytesDataUri, pngDataUri } from '../drawing/png';
import { escapeText, type Figure } from '../drawing/svg';
import { VizError } from '../errors';
import { REPORT_STYLE } from './report-style';

/** A page. */
export interface Report {
  readonly title: string;
  readonly subtitle?: string;
  /** Headline figures on tiles below the title. */
  readonly facts?: readonly { readonly label: string; readonly value: string | number }[];
  readonly sections: readonly ReportSection[];
  /** A line at the end: how the page was made. */
  readonly footer?: string;
}

/** A titled part of the page; its parts appear in the order of these fields. */
export interface ReportSection {
  readonly title: string;
  /** Paragraphs, separated by an empty line. */
  readonly text?: string;
  /** What a reader must not miss. */
  readonly notices?: readonly { readonly kind: 'info' | 'warning' | 'error'; readonly text: string }[];
  readonly charts?: readonly { readonly figure: Figure; readonly caption?: string }[];
  readonly images?: readonly ReportImage[];
  readonly tables?: readonly ReportTable[];
  /** Long text, closed until asked for: a configuration, a log. */
  readonly details?: readonly { readonly summary: string; readonly text: string }[];
}

/** A picture, as pixels or as the bytes of a PNG file. */
export interface ReportImage {
  readonly image: PixelImage | Uint8Array;
  readonly caption?: string;
  /** Width on the page in CSS pixels. Default: the picture's own. */
  readonly width?: number;
}

/** A table. Numbers are formatted and stand on the right; a column is on the right when all its values are numbers. */
export interface ReportTable {
  readonly caption?: string;
  readonly columns: readonly string[];
  /** As many values as columns; `undefined` is shown as a dash. */
  readonly rows: readonly (readonly (string | number | undefined)[])[];
  /** Rows set in bold, by index. */
  readonly highlight?: readonly number[];
  /** Cells set in bold. */
  readonly bold?: readonly (readonly [row: number, column: number])[];
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The page as one HTML document. All text is escaped. Throws `shape` when a table's row does not fit its columns. */
export function htmlReport(report: Report): string {
  const { title, subtitle, facts = [], sections, footer } = report;
  const tiles = facts.map((fact) => `<div><dt>${escapeText(fact.label)}</dt><dd>${formatCell(fact.value)}</dd></div>`);
  const links = sections.map((section, i) => `<a href="#s${i + 1}">${escapeText(section.title)}</a>`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeText(title)}</title>`,
    `<style>${REPORT_STYLE}</style>`,
    '</head>',
    '<body>',
    `<header><h1>${escapeText(title)}</h1>`,
    subtitle ? `<p class="subtitle">${escapeText(subtitle)}</p>` : '',
    links.length > 2 ? `<nav>${links.join('')}</nav>` : '',
    tiles.length > 0 ? `<dl class="facts">${tiles.join('')}</dl>` : '',
    '</header>',
    `<main>${sections.map(writeSection).join('\n')}</main>`,
    footer ? `<footer>${escapeText(footer)}</footer>` : '',
    '</body>',
    '</html>',
    '',
  ]
    .filter((part, i, all) => part !== '' || i === all.length - 1)
    .join('\n');
}

function writeSection(section: ReportSection, index: number): string {
  const charts = (section.charts ?? []).map((chart) => writeFigureBox(chart.figure.svg, chart.caption));
  const images = (section.images ?? []).map((image) => writeFigureBox(writeImage(image), image.caption));
  return [
    `<section id="s${index + 1}"><h2>${escapeText(section.title)}</h2>`,
    ...(section.text ?? '').split(/\n\s*\n/).map((text) => (text.trim() ? `<p>${escapeText(text.trim())}</p>` : '')),
    ...(section.notices ?? []).map(({ kind, text }) => `<p class="notice ${kind}">${escapeText(text)}</p>`),
    charts.length > 0 ? `<div class="figures">${charts.join('')}</div>` : '',
    images.length > 0 ? `<div class="figures">${images.join('')}</div>` : '',
    ...(section.tables ?? []).map(writeTable),
    ...(section.details ?? []).map(
      ({ summary, text }) =>
        `<details><summary>${escapeText(summary)}</summary><pre>${escapeText(text)}</pre></details>`,
    ),
    '</section>',
  ].join('');
}

function writeFigureBox(content: string, caption?: string): string {
  return `<figure>${content}${caption ? `<figcaption>${escapeText(caption)}</figcaption>` : ''}</figure>`;
}

function writeImage({ image, caption, width }: ReportImage): string {
  const source = image instanceof Uint8Array ? bytesDataUri(image) : pngDataUri(image);
  const size = width === undefined ? '' : ` width="${Math.round(width)}"`;
  return `<img src="${source}" alt="${escapeText(caption ?? '')}"${size}>`;
}

function writeTable(table: ReportTable): string {
  table.rows.forEach((row, i) => {
    if (row.length !== table.columns.length) {
      throw new VizError('shape', `row ${i} of the table has ${row.length} values for ${table.columns.length} columns`);
    }
  });
  const isNumeric = table.columns.map((_, c) => table.rows.every((row) => typeof row[c] !== 'string'));
  const bold = new Set((table.bold ?? []).map(([row, c]) => `${row} ${c}`));
  const className = (c: number, row?: number): string => {
    const names = [...(isNumeric[c] ? ['number'] : []), ...(bold.has(`${row} ${c}`) ? ['bold'] : [])];
    return names.length > 0 ? ` class="${names.join(' ')}"` : '';
  };
  const head = table.columns.map((name, c) => `<th scope="col"${className(c)}>${escapeText(name)}</th>`).join('');
  const body = table.rows.map((row, i) => {
    const cells = row.map((value, c) => `<td${className(c, i)}>${formatCell(value)}</td>`).join('');
    return `<tr${table.highlight?.includes(i) ? ' class="highlight"' : ''}>${cells}</tr>`;
  });
  const caption = table.caption ? `<caption>${escapeText(table.caption)}</caption>` : '';
  return `<div class="table"><table>${caption}<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function formatCell(value: string | number | undefined): string {
  if (value === undefined) return '–';
  return typeof value === 'number' ? formatNumber(value) : escapeText(value);
}
