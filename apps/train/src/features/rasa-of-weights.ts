/**
 * RASA that comes with weights. Heads are planes to remove from patch tokens, which is done after extraction, so that features with and without it
 * share one cache. A folded checkpoint instead has one linear layer on what the parameter-free final norm gives for patches. CLS is never touched.
 *
 * Planes are where position lies in one model; in another one they take away something else. A file of planes says which weights they were fitted on, by a
 * hash of what `Weights.identity` gives, and planes that lie in a run's folder are used with exactly these.
 */
import { createHash } from 'node:crypto';
import type { TensorSource } from '@franca/checkpoint';
import { type Basis, chainBases, fromOfficial } from '@franca/rasa';
import type { FinalLayer } from '@franca/vit';
import { TrainError } from '../errors';

export interface RasaOfWeights {
  /** Planes to remove from patch tokens, in order; none where there is no RASA or it is folded. */
  readonly planes: readonly Basis[];
  readonly folded: FinalLayer | undefined;
  /** Side of the input in pixels that the planes were fitted at, where that is known. */
  readonly fittedAt?: number | undefined;
  /** Where it is from, why it is left out, or what is odd about it, in words. */
  readonly notes: readonly string[];
}

export const noRasa: RasaOfWeights = { planes: [], folded: undefined, notes: [] };

/** No RASA, and why. */
export const leftOut = (note: string): RasaOfWeights => ({ ...noRasa, notes: [note] });

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
export function describeRasa({ planes, folded }: Pick<RasaOfWeights, 'planes' | 'folded'>): string {
  if (folded) return ' + RASA folded';
  return planes.length > 0 ? ` + RASA ${planes.length}` : '';
}

/** A number of planes, in words. */
export const countedPlanes = (planes: number): string => `${planes} ${planes === 1 ? 'plane' : 'planes'}`;

/** Which weights planes were fitted on, as their file says. */
export interface FittedOn {
  /** Name of the model. */
  readonly model?: string | undefined;
  /** Hash of the weights' identity. */
  readonly weights?: string | undefined;
  /** Step of the run that made the weights. */
  readonly step?: string | undefined;
  /** Side of the input in pixels. */
  readonly size?: number | undefined;
}

const KEYS = { model: 'model', weights: 'rasa.weights', step: 'rasa.step', size: 'rasa.size' } as const;

/** As metadata of a file. */
export function fittedOnMetadata(fittedOn: FittedOn): Record<string, string> {
  const known = Object.entries(KEYS).flatMap(([name, key]) => {
    const value = fittedOn[name as keyof FittedOn];
    return value === undefined ? [] : [[key, String(value)]];
  });
  return Object.fromEntries(known);
}

/** What the metadata of a file say. */
export function readFittedOn(metadata: Readonly<Record<string, string>>): FittedOn {
  const size = Number(metadata[KEYS.size]);
  return {
    model: metadata[KEYS.model],
    weights: metadata[KEYS.weights],
    step: metadata[KEYS.step],
    size: Number.isSafeInteger(size) && size > 0 ? size : undefined,
  };
}

/** Of an identity: short enough for metadata. */
export const hashIdentity = (identity: string): string => createHash('sha256').update(identity).digest('hex');

/** What is asked whether planes are its own: `identity` of the weights without RASA. */
export interface Subject {
  readonly model: string;
  readonly step?: string | undefined;
  identity(): Promise<string>;
}

/** Why the planes are not of these weights, in words; undefined where they are. */
export async function whyForeign(fittedOn: FittedOn, subject: Subject): Promise<string | undefined> {
  if (fittedOn.weights === undefined) return 'their file does not say which weights they were fitted on';
  if (fittedOn.weights === hashIdentity(await subject.identity())) return undefined;
  const { step: there } = fittedOn;
  const { step: here } = subject;
  if (there !== undefined && here !== undefined && there !== here)
    return `they were fitted on step ${there}, this is step ${here}`;
  const name = fittedOn.model === undefined || fittedOn.model === subject.model ? '' : ` ("${fittedOn.model}")`;
  return `they were fitted on other weights than these${name}`;
}

/** Said where the model sees another input than that of the fit. */
export const inputNote = ({ planes, fittedAt }: RasaOfWeights, size: number): string | undefined =>
  planes.length === 0 || fittedAt === undefined || fittedAt === size
    ? undefined
    : `the RASA planes were fitted on input of ${fittedAt} px, this is ${size} px`;
