/**
 * RASA that comes with weights. Heads are planes to remove from patch tokens, which is done after extraction, so that features with and without it
 * share one cache. A folded checkpoint instead has one linear layer on what the parameter-free final norm gives for patches. CLS is never touched.
 */
import type { TensorSource } from '@franca/checkpoint';
import { type Basis, chainBases, fromOfficial } from '@franca/rasa';
import type { FinalLayer } from '@franca/vit';
import { TrainError } from '../errors';

export interface RasaOfWeights {
  /** Planes to remove from patch tokens, in order; none where there is no RASA or it is folded. */
  readonly planes: readonly Basis[];
  readonly folded: FinalLayer | undefined;
  /** Name of the model that the heads were fitted on, where their file says. */
  readonly fittedOn?: string | undefined;
}

export const noRasa: RasaOfWeights = { planes: [], folded: undefined };

/** The planes that official heads describe, each removed after the ones before. @throws TrainError `file` where the width does not fit */
export async function planesOf(heads: TensorSource, D: number): Promise<readonly Basis[]> {
  const named: Record<string, Float32Array> = {};
  for (const { name, shape } of heads.tensors.values()) {
    if (shape.at(-1) !== D)
      throw new TrainError('file', `RASA head ${name} has shape [${shape.join(', ')}], the backbone is ${D} wide`);
    named[name] = await heads.readFloat32(name);
  }
  return chainBases(fromOfficial(named), D, false);
}

/** How records name it. */
export function describeRasa({ planes, folded }: RasaOfWeights): string {
  if (folded) return ' + RASA folded';
  return planes.length > 0 ? ` + RASA ${planes.length}` : '';
}

/** Planes are where position lies in one model; in another one they take away something else. */
export const notesOnRasa = ({ fittedOn }: RasaOfWeights, model: string): string[] =>
  fittedOn === undefined || fittedOn === model ? [] : [`the RASA heads were fitted on "${fittedOn}"`];
