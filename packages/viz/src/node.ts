/**
 * Figures as files, in Node: SVG as it is, PNG through resvg. Text is set in Inter from a package, never in a font of
 * the machine, so that the same figure gives the same pixels everywhere.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import type { Figure } from './drawing/svg';
import { checkRange, VizError } from './errors';

/** Options of `figureToPng`. */
export interface FigurePngOptions {
  /** Pixels per CSS pixel, 0.1 to 16. Default 2. */
  readonly scale?: number;
  /** CSS colour behind the figure. Default white. */
  readonly background?: string;
}

const require = createRequire(import.meta.url);

/** The figure as a PNG file. Throws `cannot-render` when the SVG cannot be drawn. */
export function figureToPng(figure: Figure, options: FigurePngOptions = {}): Uint8Array {
  const scale = options.scale ?? 2;
  checkRange('the scale', scale, 0.1, 16);
  const fontFiles = [
    require.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
    require.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
  ];
  try {
    const renderer = new Resvg(figure.svg, {
      fitTo: { mode: 'zoom', value: scale },
      background: options.background ?? 'white',
      font: { fontFiles, loadSystemFonts: false, defaultFontFamily: 'Inter' },
    });
    return renderer.render().asPng();
  } catch (error) {
    throw new VizError('cannot-render', `the figure '${figure.title}' cannot be drawn: ${(error as Error).message}`);
  }
}

/**
 * Writes a figure to `path` as .svg or .png, by its ending: aside first and then renamed, so that a reader never sees
 * half a file. Throws `options` on another ending.
 */
export async function writeFigure(path: string, figure: Figure, options: FigurePngOptions = {}): Promise<void> {
  if (path.endsWith('.svg')) await writeAside(path, new TextEncoder().encode(figure.svg));
  else if (path.endsWith('.png')) await writeAside(path, figureToPng(figure, options));
  else throw new VizError('options', `'${path}' ends in neither .svg nor .png; choose one of them`);
}

async function writeAside(path: string, bytes: Uint8Array): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(aside, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
