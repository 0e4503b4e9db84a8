/** Whether a file of features has what an evaluation asks for: refused in one sentence before any work, where it has not. */
import { TrainError } from '../../errors';
import { describePreparation, type Preparation } from '../../image-sets/preparation';
import type { ShardRequest } from '../shard-files';
import type { FeatureFile } from './feature-file';
import type { FileOutput } from './raw-features';

/** As this program writes how images were prepared; the number is the side of the input. */
const OURS = /^(?:shorter side \d+ bicubic, centre|squashed to) (\d+)/;

/** The side of the input that a text of this program says. */
export const sideOf = (preprocessing: string | undefined): number | undefined => {
  const side = OURS.exec(preprocessing ?? '')?.[1];
  return side === undefined ? undefined : Number(side);
};

type Asked = Pick<FeatureFile, 'path' | 'has' | 'said'>;

/** @throws TrainError `data` where the file has not got what is asked for, saying what is missing */
export function checkRequest(file: Asked, { preparation, blocks = 0, patchMean, patches, levels }: ShardRequest): void {
  const missing = (what: string): TrainError => new TrainError('data', `${file.path} holds ${what}`);
  const needs = (output: FileOutput, called: string, wayOut: string): void => {
    if (!file.has.has(output)) throw missing(`no ${called}, which this evaluation reads; ${wayOut}`);
  };
  checkPreparation(file, preparation);
  if (levels) throw missing('tokens of one block, and this evaluation reads several; give the weights themselves');
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
}

function checkPreparation({ path, said }: Asked, preparation: Preparation): void {
  const { preprocessing } = said;
  const asked = describePreparation(preparation);
  if (preparation.kind !== 'crop' && preparation.kind !== 'squash')
    throw new TrainError(
      'data',
      `${path} holds features of images as they were prepared there, and this evaluation makes others of them (${asked}); give the weights themselves`,
    );
  if (sideOf(preprocessing) === undefined || preprocessing === asked) return;
  const wayOut =
    preparation.kind === 'squash' && preprocessing!.startsWith('shorter')
      ? 'write them with franca-train features --squash'
      : preparation.kind === 'crop' && preprocessing!.startsWith('squashed')
        ? 'write them with franca-train features without --squash'
        : 'ask for the same, as with --resize, or write them anew';
  throw new TrainError(
    'data',
    `${path} holds features of images as "${preprocessing}", and this evaluation reads them as "${asked}"; ${wayOut}`,
  );
}
