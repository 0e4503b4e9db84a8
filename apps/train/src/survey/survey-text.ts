/** A survey as lines for the terminal, and as a page. */
import type { PixelImage } from '@franca/data';
import { htmlReport, type ReportTable, resizeImage } from '@franca/viz';
import { sideBySide } from './half-blocks';
import type { ShownImage } from './shown-images';
import type { Survey } from './survey';

/** Characters that a picture is wide. */
const COLUMNS = 24;
/** Side on the page in pixels, at most. */
const SIDE = 256;

/** `colour`: pictures are drawn too. */
export function surveyLines({ facts, tables, pictures, notes, commands }: Survey, colour: boolean): string[] {
  const names = facts.map(([name]) => name.length);
  const width = Math.max(...names);
  return [
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...tables.flatMap((table) => ['', ...tableLines(table)]),
    ...pictures.flatMap(({ part, images }) => ['', ...pictureLines(part, images, colour)]),
    ...(notes.length > 0 ? ['', ...notes.map((note) => `note: ${note}`)] : []),
    ...(commands.length > 0 ? ['', ...commands.map((command) => `  ${command}`)] : []),
  ];
}

function pictureLines(part: string, images: readonly ShownImage[], colour: boolean): string[] {
  const drawn = colour ? images.flatMap(({ image, label }) => (image ? [{ image, caption: label }] : [])) : [];
  const said = images.map(({ key, label, trouble }) => `${part}  ${key}: ${label}${trouble ? ` (${trouble})` : ''}`);
  return [...said, ...(drawn.length > 0 ? sideBySide(drawn, COLUMNS) : [])];
}

function tableLines({ columns, rows }: ReportTable): string[] {
  const lines = [columns, ...rows].map((row) => row.map((cell) => `${cell ?? ''}`));
  const widths = columns.map((_, c) => lines.reduce((most, line) => Math.max(most, line[c]!.length), 0));
  return lines.map((line) =>
    line
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd(),
  );
}

export function surveyPage({ spec, facts, tables, pictures, notes, commands }: Survey): string {
  const rows = facts.map(([name, value]) => [name, value]);
  return htmlReport({
    title: `Data: ${spec}`,
    sections: [
      {
        title: 'What it is',
        notices: notes.map((text) => ({ kind: 'warning', text })),
        tables: [{ columns: ['what', 'value'], rows }, ...tables],
      },
      ...pictures.map(({ part, images }) => ({
        title: `Pictures of ${part}`,
        images: images.flatMap(({ image, label }) => (image ? [{ image: reduced(image), caption: label }] : [])),
        tables: [{ columns: ['image', 'class'], rows: images.map(({ key, label }) => [key, label]) }],
      })),
      { title: 'Evaluated by', details: [{ summary: 'commands', text: commands.join('\n') }] },
    ],
  });
}

function reduced(image: PixelImage): PixelImage {
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const sized = (length: number): number => Math.max(1, Math.round(length * scale));
  return resizeImage(image, { width: sized(image.width), height: sized(image.height) }, 'area');
}
