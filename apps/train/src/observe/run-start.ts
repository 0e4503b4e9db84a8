/** How a run began: what the teacher knew at step 0, kept in `start.json`, since a run that is resumed has lost the weights of its start. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import type { PcaMap } from '@franca/viz';
import { z } from 'zod';
import type { Looks, TeacherFigures } from './teacher-reading';

/** Fresh weights, or those of another model. */
export type StartingWeights = 'untrained' | 'pretrained';

export interface RunStart extends Pick<TeacherFigures, 'right'> {
  readonly looks: Looks;
  readonly weights: StartingWeights;
  /** `TeacherReading.pictures` of then. */
  readonly pictures: string;
}

const bytes = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const stored = z.object({
  weights: z.enum(['untrained', 'pretrained']),
  pictures: z.string(),
  right: bytes.optional(),
  maps: z.array(z.object({ height: z.number(), width: z.number(), colours: bytes })),
  nearest: z.array(z.array(z.number())),
});

const fileIn = (folder: string): string => join(folder, 'start.json');

export async function saveRunStart(folder: string, start: RunStart): Promise<void> {
  const { weights, pictures, right, looks } = start;
  const text = (values: Uint8Array): string => Buffer.from(values).toString('base64');
  const record: z.input<typeof stored> = {
    weights,
    pictures,
    ...(right ? { right: text(right) } : {}),
    maps: looks.maps.map(({ grid: [height, width], colours }) => ({ height, width, colours: text(toBytes(colours)) })),
    nearest: looks.nearest.map((row) => [...row]),
  };
  await writeFileAtomic(fileIn(folder), (sink) => sink(Buffer.from(`${JSON.stringify(record)}\n`)));
}

/** How the run in `folder` began; undefined where that is not known, or was measured on other images than `pictures`. */
export async function readRunStart(folder: string, pictures: string): Promise<RunStart | undefined> {
  const text = await readFile(fileIn(folder), 'utf8').catch(() => '');
  const { success, data } = stored.safeParse(parsed(text));
  if (!success || data.pictures !== pictures) return undefined;
  const { weights, right, maps, nearest } = data;
  return { weights, pictures, right, looks: { maps: maps.map(mapOf), nearest } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const toBytes = (colours: Float32Array): Uint8Array => Uint8Array.from(colours, (value) => Math.round(255 * value));

const mapOf = ({ height, width, colours }: { height: number; width: number; colours: Uint8Array }): PcaMap => ({
  grid: [height, width],
  colours: Float32Array.from(colours, (value) => value / 255),
  foreground: new Uint8Array(height * width).fill(1),
});
