/**
 * The configuration of a model in a file. What the command line says comes first, then the file's metadata, a `config.json` beside it, the `config.yaml` of
 * the run that it lies in; heads that none of them says are assumed for published widths only, in words. What contradicts the tensors is refused.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TensorFile, type TensorSource, writeFileAtomic } from '@franca/checkpoint';
import {
  CONFIG_KEY,
  type ConfigOfWeights,
  configOf,
  decodeVitConfig,
  encodeVitConfig,
  type StoredVitConfig,
  type VitConfig,
  VitError,
} from '@franca/vit';
import { deriveVit } from '../config/derive';
import { loadConfig } from '../config/load';
import { TrainError } from '../errors';

/** What a command line says about the model; it wins. */
export interface ModelOptions {
  readonly heads?: number;
  readonly interpolateOffset?: number;
  readonly interpolateAntialias?: boolean;
}

/** A configuration that was found, and where. */
export interface FoundConfig extends StoredVitConfig {
  readonly source: string;
}

export interface ConfigOfFile extends ConfigOfWeights {
  /** What was assumed or chosen, in words. */
  readonly notes: readonly string[];
}

/**
 * `backbone`: the tensors of the model, out of `file`; `runConfig`: the configuration of the run that it lies in.
 * @throws TrainError `usage` where heads have to be given; `file` where what is known contradicts the tensors; VitError
 */
export function configOfFile(
  file: TensorFile,
  backbone: Pick<TensorSource, 'tensors'>,
  { runConfig, ...options }: ModelOptions & { readonly runConfig?: string | undefined } = {},
): ConfigOfFile {
  const notes: string[] = [];
  const found = findConfig(file, runConfig, (note) => notes.push(note));
  const given = givenValues(options);
  const { tensors } = backbone;
  const read = explained(file.path, () => configOf({ tensors }, { ...found?.config, ...given }, found?.source));
  const assumed = [...read.assumed, ...(found?.assumed ?? []).filter((key) => !(key in given))];
  const { numHeads, embedDim } = read.config;
  if (assumed.includes('numHeads'))
    notes.push(
      `heads: ${numHeads} assumed, ${embedDim / numHeads} wide, as in DINOv2, DeiT and timm at width ${embedDim}; --heads says otherwise`,
    );
  else if (given.numHeads !== undefined && given.numHeads !== found?.config.numHeads)
    notes.push(`heads: ${numHeads}, given by --heads${found ? `; ${found.source} says ${found.config.numHeads}` : ''}`);
  if (read.unused.length > 0) notes.push(describeUnused(read.unused));
  return { ...read, assumed, notes };
}

function givenValues({ heads, interpolateOffset, interpolateAntialias }: ModelOptions): Partial<VitConfig> {
  return {
    ...(heads !== undefined && { numHeads: heads }),
    ...(interpolateOffset !== undefined && { interpolateOffset }),
    ...(interpolateAntialias !== undefined && { interpolateAntialias }),
  };
}

const describeUnused = (names: readonly string[]): string =>
  names.length === 1
    ? `the tensor ${names[0]} is not used`
    : `${names.length} tensors are not used, e.g. ${names.slice(0, 3).join(', ')}`;

/** Errors about a model, with its file and the way out. */
function explained<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof VitError)) throw error;
    if (error.code === 'heads') throw new TrainError('usage', `${path}: ${error.message}; say how many with --heads`);
    if (error.code === 'config')
      throw new TrainError(
        'file',
        `${path}: ${error.message}; weights and configuration do not belong together, put the right one in its place or take it away`,
      );
    throw new TrainError('file', `${path}: ${error.message}`, { cause: error });
  }
}

/** The configuration that is kept with a file. @throws TrainError `file` where it is broken */
export function findConfig(
  { path, metadata }: TensorFile,
  runConfig: string | undefined,
  onNote: (note: string) => void,
): FoundConfig | undefined {
  const inside = metadata[CONFIG_KEY];
  if (inside !== undefined) {
    const stored = decoded(inside, `the metadata "${CONFIG_KEY}" of ${path}`);
    if (stored) return stored;
  }
  const beside = join(dirname(path), CONFIG_FILE);
  const text = readSmall(beside);
  const stored = text !== undefined && ours(text) ? decoded(text, beside) : undefined;
  if (stored) return stored;
  if (runConfig === undefined) return undefined;
  try {
    return { config: deriveVit(loadConfig([runConfig]).config), assumed: [], source: runConfig };
  } catch (error) {
    if (!(error instanceof TrainError)) throw error;
    onNote(`${runConfig} is not used, as it is no configuration of a run: ${error.message.split('\n', 1)[0]}`);
    return undefined;
  }
}

function decoded(text: string, source: string): FoundConfig | undefined {
  try {
    const stored = decodeVitConfig(text);
    return stored && { ...stored, source };
  } catch (error) {
    if (error instanceof VitError)
      throw new TrainError('file', `${source} is broken: ${error.message}; write it again, or take it away`);
    throw error;
  }
}

const CONFIG_FILE = 'config.json';
/** Ours has a few hundred bytes. */
const LIMIT = 2 ** 20;

/** The text of a file that may be absent or anything. */
function readSmall(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const { size } = statSync(path);
  return size <= LIMIT && statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined;
}

/** Whether a `config.json` is one that this program writes; others write files of that name too. */
function ours(text: string): boolean {
  try {
    return decodeVitConfig(text) !== undefined;
  } catch {
    return text.includes('"franca-vit"');
  }
}

/** The configuration as metadata of a safetensors file. */
export const configMetadata = (stored: StoredVitConfig): Record<string, string> => ({
  [CONFIG_KEY]: encodeVitConfig(stored),
});

/**
 * Writes the configuration as `config.json` into a folder of weights. One that another program wrote stays.
 * @returns the path, or undefined where nothing was written
 */
export async function writeConfigFile(folder: string, stored: StoredVitConfig): Promise<string | undefined> {
  const path = join(folder, CONFIG_FILE);
  const present = readSmall(path);
  if (existsSync(path) && (present === undefined || !ours(present))) return undefined;
  await writeFileAtomic(path, (sink) => sink(Buffer.from(`${encodeVitConfig(stored)}\n`)));
  return path;
}
