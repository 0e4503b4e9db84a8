/**
 * Figures as SVG text, made from small strings. Ink is `currentColor` (dark on the paper of a stand-alone file; the
 * page's own ink when the SVG stands inside an HTML page, in light and dark), nothing has an id (several figures share
 * a page) and numbers have at most two decimals (equal input gives equal bytes).
 */
import { type PixelImage, toByte } from './image';
import { pngDataUri } from './png';

/** A finished figure: a whole SVG document and its size in CSS pixels. */
export interface Figure {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  /** What the picture shows, in words: its accessible name. */
  readonly title: string;
}

/** A piece of SVG. */
export type Markup = string;

/** Where text stands and how it looks. */
export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly weight?: number;
  /** 0..1; muted text has 0.65. */
  readonly opacity?: number;
  /** Degrees around the anchor. */
  readonly rotate?: number;
}

/** Font size of labels in CSS pixels. */
export const LABEL_SIZE = 12;
/** Font size of titles. */
const TITLE_SIZE = 14;
/** Opacity of secondary text. */
export const MUTED = 0.65;

const FONT_FAMILY = "Inter, 'Helvetica Neue', Arial, sans-serif";

/** A figure of the given pieces. */
export function figure(size: { width: number; height: number }, title: string, pieces: readonly Markup[]): Figure {
  const width = Math.ceil(size.width);
  const height = Math.ceil(size.height);
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    color: '#1c2128',
    fill: 'currentColor',
    'font-family': FONT_FAMILY,
    'font-size': LABEL_SIZE,
    role: 'img',
    'aria-label': title,
  };
  return { svg: element('svg', attributes, pieces.join('')), width, height, title };
}

/** `<name ...attributes>children</name>`; attributes that are undefined are left out, texts are escaped. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...children: Markup[]
): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : escapeText(value!)}"`)
    .join('');
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join('')}</${name}>`;
}

/** A line of text whose baseline starts at (x, y). */
export function label(x: number, y: number, content: string, style: TextStyle = {}): Markup {
  const attributes = {
    x,
    y,
    'text-anchor': style.anchor === 'start' ? undefined : style.anchor,
    'font-size': style.size,
    'font-weight': style.weight,
    'fill-opacity': style.opacity,
    transform: style.rotate ? `rotate(${round(style.rotate)} ${round(x)} ${round(y)})` : undefined,
  };
  return element('text', attributes, escapeText(content));
}

/** A straight line. */
export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  attributes: Record<string, string | number>,
): Markup {
  return element('line', { x1, y1, x2, y2, stroke: 'currentColor', ...attributes });
}

/** A picture, embedded. */
export function picture(image: PixelImage, box: { x: number; y: number; width: number; height: number }): Markup {
  return element('image', { ...box, preserveAspectRatio: 'none', href: pngDataUri(image) });
}

/** Title in bold and subtitle muted, from the top left; says how much height they take. */
export function heading(x: number, title?: string, subtitle?: string): { pieces: Markup[]; height: number } {
  const pieces = [];
  let y = 0;
  if (title) {
    y += 18;
    pieces.push(label(x, y, title, { size: TITLE_SIZE, weight: 600 }));
  }
  if (subtitle) {
    y += 17;
    pieces.push(label(x, y, subtitle, { opacity: MUTED }));
  }
  return { pieces, height: y === 0 ? 6 : y + 10 };
}

/** Text for XML and HTML: markup characters escaped, control characters (which XML forbids) dropped. */
export function escapeText(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return Array.from(text)
    .filter((char) => char >= ' ' || char === '\n' || char === '\t')
    .map((char) => entities[char] ?? char)
    .join('');
}

/** About how wide a text is in Inter, in CSS pixels; right within 10 % for ordinary labels. */
export function textWidth(text: string, size: number = LABEL_SIZE): number {
  let ems = 0;
  for (const char of text) {
    if (/[ijl.,:;'|!()[\] ]/.test(char)) ems += 0.3;
    else if (/[mwMW%@]/.test(char)) ems += 0.88;
    else if (/[A-Z]/.test(char)) ems += 0.68;
    else if (/[frt-]/.test(char)) ems += 0.39;
    else ems += 0.6;
  }
  return ems * size;
}

/** A colour as `#rrggbb`. */
export function hexColour(colour: readonly [number, number, number]): string {
  return `#${colour
    .map((part) =>
      toByte(part / 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** At most two decimals, no trailing zeros, no minus zero. */
export function round(value: number): string {
  return String(Math.round(value * 100) / 100 || 0);
}
