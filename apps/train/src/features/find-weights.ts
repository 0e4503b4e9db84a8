/** Where the weights are that a person means: a file, the newest teacher of a run, an imported backbone, a model of the hub. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { latestRunCheckpoint, listRunCheckpoints, openSafetensors } from '@franca/checkpoint';
import { TrainError } from '../errors';
import { fetchWeights } from '../hub/fetch-weights';
import { EXPORTED, ONNX_FILES, WEIGHT_FILES } from '../hub/weight-files';

export interface FoundWeights {
  readonly file: string;
  /** Configuration of the run that made them. */
  readonly configFile?: string | undefined;
  /** RASA heads beside them. */
  readonly rasaFile?: string | undefined;
  /** For records: file or folder, shortly. */
  readonly name: string;
  /** Which of several files it is, in words, where that is not plain. */
  readonly notes: readonly string[];
}

/** Before weights: their architecture with initial values. */
export const UNTRAINED = 'random:';

/** Where weights lie, and whether their architecture alone is meant. */
export function parseWeights(weights: string): { readonly path: string; readonly untrained: boolean } {
  const untrained = weights.startsWith(UNTRAINED);
  return { path: untrained ? weights.slice(UNTRAINED.length) : weights, untrained };
}

/** Name of a file of RASA heads. */
export const RASA_HEADS = 'rasa_head.safetensors';
/** `path`: a file, a folder, or the name of weights that are fetched. @throws TrainError `file` where there are no weights; DataError where they cannot be fetched */
export async function findWeights(path: string): Promise<FoundWeights> {
  const fetched = await fetchWeights(path);
  if (!fetched) return findLocal(path);
  const found = await findLocal(fetched.path);
  return {
    ...found,
    name: fetched.name,
    rasaFile: fetched.rasaFile ?? found.rasaFile,
    notes: [...fetched.notes, ...found.notes],
  };
}

async function findLocal(path: string): Promise<FoundWeights> {
  if (!existsSync(path))
    throw new TrainError(
      'file',
      `${path} does not exist; give a file of weights, the folder of a run, hf://owner/name, or a published name such as franca_vitb14_In21K_518`,
    );
  if (!statSync(path).isDirectory())
    return { file: path, name: basename(path).replace(/\.\w+$/, ''), configFile: runConfig(path), notes: [] };
  const existing = (name: string) => [join(path, name)].filter(existsSync).at(0);
  const onnx = ONNX_FILES.map(existing).find(Boolean);
  const found =
    (await newestTeacher(path, WEIGHT_FILES.map(existing).find(Boolean))) ?? (onnx && { file: onnx, notes: [] });
  if (!found)
    throw new TrainError(
      'file',
      `${path} holds no weights: none of ${[...WEIGHT_FILES, ...ONNX_FILES].join(', ')}, no checkpoint; it holds ${listing(path)}`,
    );
  return {
    ...found,
    name: basename(resolve(path)),
    configFile: runConfig(path),
    rasaFile: existing(RASA_HEADS),
  };
}

/** The configuration of the run that weights are of: a file or a folder, which is the run, one of its checkpoints or its RASA. */
export function runConfig(weights: string): string | undefined {
  const isFolder = existsSync(weights) && statSync(weights).isDirectory();
  const whole = resolve(isFolder ? weights : dirname(weights));
  const above = dirname(whole);
  const run = basename(above) === 'checkpoints' ? dirname(above) : basename(whole) === 'rasa' ? above : whole;
  return [...new Set([whole, run])].map((place) => join(place, 'config.yaml')).find(existsSync);
}

/**
 * The teacher of the last whole checkpoint of a run, unless what it exported is as new. A run that was stopped from outside has an export
 * that is older than its checkpoints, or none.
 */
async function newestTeacher(
  run: string,
  exported: string | undefined,
): Promise<Pick<FoundWeights, 'file' | 'notes'> | undefined> {
  const plain = exported === undefined ? undefined : { file: exported, notes: [] };
  const last = (await listRunCheckpoints(run)).at(-1);
  if (!last || (exported && !(await isOlder(exported, last.step)))) return plain;
  const { checkpoint, rejected } = await latestRunCheckpoint(run);
  const notes = rejected.map(({ error }) => `passed over: ${error.message}`);
  const file = checkpoint && join(checkpoint.path, 'teacher.safetensors');
  if (!file || !existsSync(file) || (exported && !(await isOlder(exported, checkpoint.step))))
    return plain && { ...plain, notes };
  const older = exported ? `; ${basename(exported)} is older` : '';
  return { file, notes: [...notes, `the teacher after step ${checkpoint.step}, from its checkpoint${older}`] };
}

/** Whether an exported teacher is of an earlier step; other weights are of none. */
async function isOlder(exported: string, step: number): Promise<boolean> {
  if (basename(exported) !== EXPORTED) return false;
  await using file = await openSafetensors(exported);
  return Number(file.metadata.step ?? Number.NaN) < step;
}

function listing(folder: string): string {
  const names = readdirSync(folder);
  return names.length === 0 ? 'nothing' : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;
}
