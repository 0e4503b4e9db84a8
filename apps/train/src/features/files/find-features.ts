/** Which files of features a text means, where it means some: one or several with commas between, or a folder with `train` and `test`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { openSafetensors } from '@franca/checkpoint';
import { TrainError } from '../../errors';
import { type FeatureFile, featureFile } from './feature-file';
import { openParquetFeatures } from './parquet-features';
import { pictureFile } from './picture-file';
import { nameOf, type RawFeatures } from './raw-features';
import { arePictures, openNpyFeatures, openNpzFeatures, openTensorFeatures } from './tensor-features';

/** Endings of files of features, and what opens them. */
const OPENERS: Readonly<Record<string, (path: string) => Promise<RawFeatures>>> = {
  '.safetensors': openTensorFeatures,
  '.npz': openNpzFeatures,
  '.npy': openNpyFeatures,
  '.parquet': openParquetFeatures,
};

export const FEATURE_ENDINGS: readonly string[] = Object.keys(OPENERS);

/** The ending that says a format. */
export const endingOf = (path: string): string | undefined =>
  FEATURE_ENDINGS.find((ending) => path.toLowerCase().endsWith(ending));

/** Open files of features; of several the first is of training images. */
export interface OpenFeatures extends AsyncDisposable {
  readonly files: readonly FeatureFile[];
}

/**
 * Opens what `text` means as features; undefined where it means weights.
 * @throws TrainError `file` where one of several is no file of features, `data` where they cannot be read or do not belong together
 */
export async function openFeatures(text: string): Promise<OpenFeatures | undefined> {
  const paths = await featurePaths(text);
  if (!paths) return undefined;
  const files: FeatureFile[] = [];
  const close = async (): Promise<void> => {
    for (const file of files) await file[Symbol.asyncDispose]();
  };
  try {
    for (const path of paths) files.push(await openFeatureFile(path));
    checkTogether(files);
  } catch (error) {
    await close();
    throw error;
  }
  return { files, [Symbol.asyncDispose]: close };
}

/** Opens one file of features, by its ending. @throws TrainError `file`, `data`; CheckpointError; DataError */
export async function openFeatureFile(path: string): Promise<FeatureFile> {
  const ending = endingOf(path);
  if (ending === undefined)
    throw new TrainError(
      'file',
      `${path} is no file of features: its name ends in none of ${FEATURE_ENDINGS.join(', ')}`,
    );
  const raw = await OPENERS[ending]!(path);
  try {
    return raw.pictures ? pictureFile(raw, raw.pictures) : featureFile(raw);
  } catch (error) {
    await raw.close();
    throw error;
  }
}

async function featurePaths(text: string): Promise<readonly string[] | undefined> {
  if (existsSync(text))
    return statSync(text).isDirectory() ? inFolder(text) : (await isFeatures(text)) ? [text] : undefined;
  const paths = text.split(',');
  if (paths.length === 1 || !paths.every((path) => endingOf(path))) return undefined;
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined)
    throw new TrainError('file', `${missing} does not exist; give files of features as train.npz,test.npz`);
  return paths;
}

/** A file of tensors may be weights: those have no array of one of these names. */
async function isFeatures(path: string): Promise<boolean> {
  const ending = endingOf(path);
  if (ending !== '.safetensors') return ending !== undefined;
  // what cannot be opened is told where weights are opened
  await using file = await openSafetensors(path).catch(() => undefined);
  if (!file) return false;
  const rank = (name: string | undefined) => file.tensors.get(name ?? '')?.shape.length;
  const isThere = (name: string): boolean => file.tensors.has(name);
  return rank(nameOf('cls', isThere)) === 2 || (rank(nameOf('patches', isThere)) ?? 0) >= 3 || arePictures(file);
}

const TESTED = ['test', 'val', 'validation'];

/** `train.*` and `test.*`, or `val.*`, of a folder that has both. @throws TrainError `file` where there are several of one part */
function inFolder(folder: string): readonly string[] | undefined {
  const names = readdirSync(folder).filter((name) => endingOf(name));
  const stem = (name: string): string => basename(name).slice(0, -endingOf(name)!.length).toLowerCase();
  const train = names.filter((name) => stem(name) === 'train');
  const part = TESTED.find((one) => names.some((name) => stem(name) === one));
  if (train.length === 0 || part === undefined) return undefined;
  const test = names.filter((name) => stem(name) === part);
  const twice = [train, test].find((some) => some.length > 1);
  if (twice)
    throw new TrainError(
      'file',
      `${folder} holds ${twice.join(' and ')}; name the files that are meant: train.npz,test.npz`,
    );
  return [train[0]!, test[0]!].map((name) => join(folder, name));
}

/** @throws TrainError `data` where files are of two models, prepared in two ways, or the same */
function checkTogether(files: readonly FeatureFile[]): void {
  const [first, ...others] = files;
  const no = (other: FeatureFile, what: string): TrainError =>
    new TrainError('data', `${first!.path} and ${other.path} do not belong together: ${what}`);
  for (const other of others) {
    if (other.hash === first!.hash) throw no(other, 'they are the same file');
    if (other.dim !== first!.dim) throw no(other, `${first!.dim} and ${other.dim} numbers a row`);
    for (const what of ['model', 'preprocessing', 'patchSize'] as const) {
      const [here, there] = [first!.said[what], other.said[what]];
      if (here !== undefined && there !== undefined && here !== there)
        throw no(other, `${what} "${here}" and "${there}"`);
    }
    if (`${first!.grid}` !== `${other.grid}` && first!.grid && other.grid)
      throw no(other, `${first!.grid.join(' x ')} and ${other.grid.join(' x ')} patches`);
  }
}
