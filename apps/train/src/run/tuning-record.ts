/** The kernel choices of a run in its folder, `tuning.json`: the same kernels compute the same bits when it goes on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import type { Communicator } from '@franca/collective';
import {
  chosenVariants,
  type Gpu,
  type Plan,
  type TuningReport,
  tuningTable,
  tuningTableOf,
  useTuningTable,
} from '@franca/tensor';
import { fromFirst } from '../ranks/exchange';
import { onFirst } from '../ranks/together';

const FILE = 'tuning.json';

/** Takes over the choices of a run before anything is compiled. Returns what there is to say: they are of another adapter, or cannot be read. */
export async function takeTuning(run: string, gpu: Gpu): Promise<string[]> {
  const file = join(run, FILE);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  // of a run that began before there were such files
  if (text === undefined) return [];
  const table = tableIn(text);
  const anew = 'kernels are chosen anew, and the run goes on, but not bit for bit';
  if (!table) return [`warning: ${file} is no table of kernel choices; ${anew}`];
  return useTuningTable(gpu, table) ? [] : [`${file} is of the adapter ${table.adapter}; ${anew}`];
}

function tableIn(text: string): ReturnType<typeof tuningTableOf> {
  try {
    return tuningTableOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Takes over the choices of rank 0, so that all ranks run the same kernels. Called by all; returns what there is to say. */
export async function shareTuning(ranks: Communicator, gpu: Gpu): Promise<string[]> {
  const table = await fromFirst(ranks, tuningTable(gpu));
  if (ranks.rank === 0 || useTuningTable(gpu, table)) return [];
  return [`kernels are chosen by itself, on another adapter than that of rank 0 (${table.adapter})`];
}

/** Lets rank 0 measure on a GPU what nobody knows yet, by `tune`, before the others compile the same. Called by all. */
export async function tuneOnFirst<T>(ranks: Communicator, gpu: Gpu, tune: () => Promise<T>): Promise<T | undefined> {
  const measures = await fromFirst(ranks, gpu.tuning.cache !== undefined && gpu.target.family === 'gpu');
  if (ranks.size === 1 || !measures) return undefined;
  const tuned = await onFirst(ranks, tune);
  await shareTuning(ranks, gpu);
  return tuned;
}

/** Writes what was chosen so far. */
export async function writeTuning(run: string, gpu: Gpu): Promise<void> {
  const text = `${JSON.stringify(tuningTable(gpu), null, 2)}\n`;
  await writeFileAtomic(join(run, FILE), (sink) => sink(Buffer.from(text)));
}

/** Which kernels a step runs, where there was a choice of other bits, as a text to compare; on a processor all choices have the same. */
export const kernelsOf = (plan: Plan): string =>
  (plan.target.family === 'cpu' ? [] : chosenVariants(plan))
    .map(({ key, variant }) => `${key}: ${variant}`)
    .sort()
    .join('\n');

/** Where the kernels of a step come from, in one line; undefined where there was nothing to choose. */
export function describeTuning({ choices, seconds, unmeasured }: TuningReport): string | undefined {
  const { pinned, table, cache, shipped, measured, default: normal } = choices;
  const parts = [
    [measured, `measured in ${seconds.toFixed(1)} s`],
    [table, 'as the run has them'],
    [cache, 'measured before'],
    [shipped, 'measured elsewhere on such an adapter'],
    [pinned, 'pinned'],
    [unmeasured, 'by default, as the time for measuring was used up'],
    [normal - unmeasured, 'by default'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, how]) => `${count} ${how}`);
  return said.length > 0 ? `kernel choices: ${said.join(', ')}` : undefined;
}

/** What of it makes the run another one than it should be, for its record. */
export function tuningNotes({ unmeasured, lost, wrong }: TuningReport): string[] {
  return [
    ...(unmeasured > 0
      ? [`${unmeasured} kernel choices are not measured, as the time for it was used up; another run measures them`]
      : []),
    ...(lost > 0
      ? [`${lost} kernels that the run was computed by are no more; it goes on by others, not bit for bit`]
      : []),
    ...(wrong.length > 0
      ? [
          `warning: kernels that compute something else than they should on this adapter, used only where all of a product do: ${wrong.join('; ')}`,
        ]
      : []),
  ];
}
