/**
 * Where a long evaluation stands, as a safetensors file in the cache folder of features: an interrupted command that is given again goes on from there. The name of the file
 * is a hash of everything that the result depends on, so that the progress of another evaluation is never taken for it; what cannot be read counts as absent.
 * A file appears whole or not at all, and goes when its evaluation has come to its end.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CheckpointError, openSafetensors, writeSafetensors } from '@franca/checkpoint';
import type { Json, ProgressArray, ProgressKeeper, SavedProgress } from '@franca/evals';
import { TrainError } from '../errors';
import type { FeatureSession } from '../features/session';
import { MOST_IMAGES } from '../features/shard-files';
import type { ImageSet } from '../image-sets/image-set';
import type { EvalContext } from './context';
import type { Part } from './part';

const FORMAT = 'franca-progress 1';
/** Saving may take a twentieth of the time, and is not worth it more often than this. */
const AT_LEAST_SECONDS = 60;
const TIMES_A_SAVE = 20;

export interface ProgressFile extends ProgressKeeper {
  readonly path: string;
}

/** @param of everything that the result depends on, as JSON */
export function progressFile(folder: string, of: unknown): ProgressFile {
  const key = createHash('sha256').update(JSON.stringify(of)).digest('hex');
  const path = join(folder, `${key}.safetensors`);
  let saved = performance.now();
  let wait = 1000 * AT_LEAST_SECONDS;
  return {
    path,
    async load() {
      const progress = await readProgress(path, key);
      if (progress) console.error(`goes on from where it was interrupted: ${path}`);
      return progress;
    },
    due: () => performance.now() - saved >= wait,
    async save({ state, arrays }) {
      const began = performance.now();
      await mkdir(dirname(path), { recursive: true });
      const entries = Object.entries(arrays).map(([name, data]) => ({
        name,
        dtype: dtypeOf(data),
        shape: [data.length],
        data,
      }));
      await writeSafetensors(path, entries, { format: FORMAT, key, state: encodeState(state) });
      saved = performance.now();
      wait = Math.max(1000 * AT_LEAST_SECONDS, TIMES_A_SAVE * (saved - began));
    },
    done: () => rm(path, { force: true }),
  };
}

const progressFolder = (cacheFolder: string): string => join(cacheFolder, 'progress');

/** What interrupted evaluations have left beside a cache of features; nothing where there is no such folder. */
export async function findProgress(cacheFolder: string): Promise<{ readonly path: string; readonly bytes: number }[]> {
  const folder = progressFolder(cacheFolder);
  const names = await readdir(folder).catch(() => []);
  const paths = names.filter((name) => /^[0-9a-f]{64}\.safetensors$/.test(name)).map((name) => join(folder, name));
  return Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(path)).size })));
}

async function readProgress(path: string, key: string): Promise<SavedProgress | undefined> {
  try {
    await using file = await openSafetensors(path);
    const { format, key: own, state } = file.metadata;
    if (format !== FORMAT || own !== key || state === undefined) return undefined;
    const arrays: Record<string, ProgressArray> = {};
    for (const name of file.tensors.keys()) {
      const data = await file.read(name);
      if (!isProgressArray(data)) return undefined;
      arrays[name] = data;
    }
    return { state: JSON.parse(state) as Json, arrays };
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isProgressArray = (data: unknown): data is ProgressArray =>
  data instanceof Float32Array ||
  data instanceof Float64Array ||
  data instanceof Int32Array ||
  data instanceof Uint32Array;

function dtypeOf(data: ProgressArray): 'f32' | 'f64' | 'i32' | 'u32' {
  if (data instanceof Float32Array) return 'f32';
  if (data instanceof Float64Array) return 'f64';
  return data instanceof Int32Array ? 'i32' : 'u32';
}

/** JSON would write NaN as null: such numbers belong into arrays. */
const encodeState = (state: Json): string =>
  JSON.stringify(state, (name, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new TrainError('run', `progress: ${name} is ${value}, which JSON does not keep; it belongs into an array`);
    return value;
  });

/** What a long evaluation of some parts depends on besides the model and the code. */
export interface ProgressOf {
  readonly parts: readonly Part[];
  /** All options with their values, and whatever else there is. */
  readonly options: unknown;
}

/** Keeps the progress of one computation of `task` beside the features of its model. @throws TrainError `usage` where there is no model */
export async function progressFor(
  { backend, session }: Pick<EvalContext, 'backend' | 'session'>,
  task: string,
  { parts, options }: ProgressOf,
): Promise<ProgressFile> {
  const model = session();
  const { extraction, cacheFolder } = model;
  const { version } = createRequire(import.meta.url)('@franca/evals/package.json') as { version: string };
  return progressFile(progressFolder(cacheFolder), {
    ...{ task, options, weights: extraction.weights, planes: planesOf(model) },
    ...{ code: extraction.code, evals: version, backend: backend.name },
    parts: await Promise.all(parts.map((part) => identityOf(part, model))),
  });
}

/** Planes of RASA are taken away after extraction, so that the weights do not tell them. */
function planesOf({ weights }: Pick<FeatureSession, 'weights'>): string {
  const hash = createHash('sha256');
  for (const plane of weights.rasa.planes) for (const direction of plane) hash.update(direction);
  return hash.digest('hex');
}

async function identityOf({ set, preprocessing, truth, weights }: Part, model: FeatureSession) {
  const { dataset, split, length, classes, notes } = set;
  const labels = createHash('sha256').update(Int32Array.from({ length }, (_, index) => set.label(index)));
  return {
    ...{ dataset, split, length, classes, notes, preprocessing, truth },
    ...{ planes: weights && planesOf({ weights }), labels: labels.digest('hex') },
    images: await versionsOf(set, model.extraction),
  };
}

/** By the shards of features of whole images, whose versions have been looked up for them. */
async function versionsOf(set: ImageSet, { versions }: FeatureSession['extraction']): Promise<string> {
  const hash = createHash('sha256');
  for (let first = 0; first < set.length; first += MOST_IMAGES)
    hash.update(await versions(set, first, Math.min(first + MOST_IMAGES, set.length)));
  return hash.digest('hex');
}
