/** Whether a file of features has what an evaluation asks for: refused in one sentence before any work, where it has not. */
import { TrainError } from '../../errors';
import { describePreparation, inputSides, type Preparation, type Sides } from '../../image-sets/preparation';
import type { ShardRequest } from '../shard-files';
import type { FeatureFile, Grid } from './feature-file';
import type { FileOutput } from './raw-features';

/** As this program writes how images were prepared; the number is the side of the input. */
const OURS = /^(?:shorter side \d+ bicubic, centre|squashed to) (\d+)/;
const ALSO_OURS = /^(?:padded right and below with 255|whole picture at|whole frames, )/;

const isOurs = (preprocessing: string): boolean => OURS.test(preprocessing) || ALSO_OURS.test(preprocessing);

/** The side of the input that a text of this program says. */
export const sideOf = (preprocessing: string | undefined): number | undefined => {
  const side = OURS.exec(preprocessing ?? '')?.[1];
  return side === undefined ? undefined : Number(side);
};

type Asked = Pick<FeatureFile, 'path' | 'has' | 'said' | 'grid'>;

/**
 * @param patchSize side of a patch in pixels of the input
 * @throws TrainError `data` where the file has not got what is asked for, saying what is missing
 */
export function checkRequest(
  file: Asked,
  { preparation, blocks = 0, patchMean, patches, levels }: ShardRequest,
  patchSize: number,
): void {
  const missing = (what: string): TrainError => new TrainError('data', `${file.path} holds ${what}`);
  const needs = (output: FileOutput, called: string, wayOut: string): void => {
    if (!file.has.has(output)) throw missing(`no ${called}, which this evaluation reads; ${wayOut}`);
  };
  checkPreparation(file, preparation);
  if (levels)
    throw missing(
      'tokens of one block of pictures as they are, and this evaluation reads others; give the weights themselves',
    );
  if (blocks > 1)
    throw missing(`CLS tokens of one block, and this evaluation reads ${blocks}; give the weights themselves`);
  const inner = typeof patches === 'object' && !(patches.block === 0 && patches.norm);
  if (inner)
    throw missing(
      'no patches of inner blocks or before the final norm, which this evaluation reads; give the weights themselves',
    );
  if (blocks > 0) needs('cls', 'CLS tokens', 'add them as cls [images, numbers]');
  if (patchMean) needs('patch_mean', 'mean patch tokens', 'add them as patch_mean [images, numbers]');
  if (patches)
    needs(
      'patches',
      'patches',
      'write them with franca-train features --patches --squash, or add patches [images, rows, columns, numbers]',
    );
  if (patches) checkGrid(file, inputSides(preparation), patchSize);
}

/** @param input in pixels @throws TrainError `data` where all images have other patches than such an input has, or each its own */
function checkGrid({ path, grid }: Asked, input: Sides, patchSize: number): void {
  const asked: Grid = [input[0] / patchSize, input[1] / patchSize];
  if (grid?.join() !== asked.join()) throw otherGrid({ path }, 'its images', grid, { grid: asked, input, patchSize });
}

/** @param of what the patches are of, in words */
export function otherGrid(
  { path }: Pick<FeatureFile, 'path'>,
  of: string,
  held: Grid | undefined,
  { grid, input, patchSize }: { readonly grid: Grid; readonly input: Sides; readonly patchSize: number },
): TrainError {
  const text = held ? `${held.join(' x ')}` : 'various numbers of';
  return new TrainError(
    'data',
    `${path} holds ${text} patches of ${of}, and this evaluation reads ${grid.join(' x ')}: ${input.join(' x ')} px in patches of ${patchSize}; write such ones, or ask for another size`,
  );
}

/**
 * The same of whole pictures and frames.
 * @param asked how the evaluation prepares them, in words
 * @throws TrainError `data`
 */
export function checkWhole({ path, has, said: { preprocessing } }: Asked, asked: string): void {
  if (!has.has('patches'))
    throw new TrainError(
      'data',
      `${path} holds no patches, which this evaluation reads; give a file with an array [rows, columns, numbers] for each picture, by its name`,
    );
  if (preprocessing !== undefined && isOurs(preprocessing) && preprocessing !== asked)
    throw otherPreparation(path, preprocessing, asked, 'write them anew');
}

function checkPreparation({ path, said }: Asked, preparation: Preparation): void {
  const { preprocessing } = said;
  const asked = describePreparation(preparation);
  const { kind } = preparation;
  if (kind !== 'crop' && kind !== 'squash' && kind !== 'pad-square')
    throw new TrainError(
      'data',
      `${path} holds features of images as they were prepared there, and this evaluation makes others of them (${asked}); give the weights themselves`,
    );
  if (preprocessing === undefined || !isOurs(preprocessing) || preprocessing === asked) return;
  const wayOut =
    kind === 'squash' && preprocessing.startsWith('shorter')
      ? 'write them with franca-train features --squash'
      : kind === 'crop' && preprocessing.startsWith('squashed')
        ? 'write them with franca-train features without --squash'
        : 'ask for the same, as with --resize, or write them anew';
  throw otherPreparation(path, preprocessing, asked, wayOut);
}

const otherPreparation = (path: string, said: string, asked: string, wayOut: string): TrainError =>
  new TrainError(
    'data',
    `${path} holds features of images as "${said}", and this evaluation reads them as "${asked}"; ${wayOut}`,
  );
