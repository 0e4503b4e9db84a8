/**
 * Which RASA is used with weights: planes that were named, RASA that is part of the weights or of their import, or planes that were fitted on exactly these
 * weights and lie in the folder of their run.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, openCheckpoint, type TensorSource } from '@franca/checkpoint';
import { finalLayerOf } from '@franca/vit';
import { TrainError } from '../errors';
import { RASA_HEADS } from './find-weights';
import { networkOfFile } from './network-of-file';
import { placeOfOutputs } from './place-of-outputs';
import {
  countedPlanes,
  type FittedOn,
  leftOut,
  noRasa,
  planesOf,
  type RasaOfWeights,
  readFittedOn,
  type Subject,
  whyForeign,
} from './rasa-of-weights';

/** Weights as RASA is looked for: without it. */
export interface PlainWeights extends Subject {
  readonly embedDim: number;
  readonly backbone: TensorSource;
  /** Heads in the file itself; empty where there are none. */
  readonly heads: TensorSource;
}

/** Files of planes that nobody named. */
export interface RasaPlaces {
  /** In the same folder as the weights. */
  readonly beside: string | undefined;
  /** Where `eval all` writes those of a run. */
  readonly ofRun: string | undefined;
}

/** `path`: the weights as they were given. */
export function rasaPlaces(path: string, beside: string | undefined): RasaPlaces {
  const place = placeOfOutputs(path);
  return { beside, ofRun: place && [join(place.folder, 'rasa', RASA_HEADS)].find(existsSync) };
}

/** An untrained model has none; a file that is there, or was named, is told. */
export function untrainedRasa({ beside, ofRun }: RasaPlaces, chosen: string | undefined): RasaOfWeights {
  const file = chosen ?? beside ?? ofRun;
  return file === undefined || chosen === 'none'
    ? noRasa
    : leftOut(`the RASA planes of ${file} are left out: they are those of the trained weights`);
}

/** `chosen`: a file of heads, or `none`. @throws TrainError `file` where that file holds no heads, or none of this width */
export async function findRasa(
  weights: PlainWeights,
  { beside, ofRun }: RasaPlaces,
  chosen: string | undefined,
): Promise<RasaOfWeights> {
  if (chosen === 'none') return noRasa;
  if (chosen !== undefined) return chosenPlanes(chosen, weights);
  const folded = await finalLayerOf(weights.backbone);
  if (folded) return { ...noRasa, folded };
  if (beside !== undefined) return planesIn(beside, weights, 'import or fit');
  const { heads, embedDim } = weights;
  if (heads.tensors.size > 0) return { ...noRasa, planes: await planesOf(heads, embedDim) };
  return ofRun === undefined ? noRasa : planesIn(ofRun, weights, 'fit');
}

/** Planes that were named are used; that they are of other weights is told. */
async function chosenPlanes(path: string, weights: PlainWeights): Promise<RasaOfWeights> {
  const { planes, fittedOn } = await readPlanes(path, weights, () => undefined);
  const { model } = fittedOn;
  const other = model === undefined || model === weights.model ? undefined : `they were fitted on "${model}"`;
  const foreign = fittedOn.weights === undefined ? other : await whyForeign(fittedOn, weights);
  const notes = foreign === undefined ? [] : [`the RASA planes of ${path}: ${foreign}`];
  return { ...noRasa, planes, fittedAt: fittedOn.size, notes };
}

/** Planes that nobody named are used where they were fitted on exactly these weights, or came with them. */
async function planesIn(path: string, weights: PlainWeights, origin: 'fit' | 'import or fit'): Promise<RasaOfWeights> {
  // what a fit wrote names its model
  const isImported = ({ model }: FittedOn): boolean => origin === 'import or fit' && model === undefined;
  const why = async (fittedOn: FittedOn) => (isImported(fittedOn) ? undefined : whyForeign(fittedOn, weights));
  try {
    const { planes, foreign, fittedOn } = await readPlanes(path, weights, why);
    if (foreign !== undefined)
      return leftOut(`the RASA planes of ${path} are left out: ${foreign}; --rasa ${path} takes them all the same`);
    if (isImported(fittedOn)) return { ...noRasa, planes };
    const used = `RASA: ${countedPlanes(planes.length)} of ${path}; --rasa none leaves them out`;
    return { ...noRasa, planes, fittedAt: fittedOn.size, notes: [used] };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return leftOut(`the RASA planes of ${path} are left out: ${error.message}`);
  }
}

/** Planes of a file and what it says of them; no planes are read where `why` says why not. */
async function readPlanes(
  path: string,
  { embedDim }: PlainWeights,
  why: (fittedOn: FittedOn) => Promise<string | undefined> | undefined,
) {
  await using file = await openCheckpoint(path);
  const { rasa_head } = networkOfFile(file, undefined, 'give a file of RASA heads alone').parts;
  if (rasa_head.tensors.size === 0)
    throw new TrainError('file', `${path} holds no RASA heads; give a ${RASA_HEADS}, or --rasa none`);
  const fittedOn = readFittedOn(file.metadata);
  const foreign = await why(fittedOn);
  return { fittedOn, foreign, planes: foreign === undefined ? await planesOf(rasa_head, embedDim) : [] };
}
