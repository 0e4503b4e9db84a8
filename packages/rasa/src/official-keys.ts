/**
 * Names of a RASA head in official checkpoints. They are `pre_pos_layers.{t}.weight` for the planes of earlier stages and `pos_pred.weight` for the last,
 * each [2, D].
 */
import { RasaError } from './errors';
import type { HeadWeights } from './planes';
import type { Basis } from './result';

/**
 * Planes under their official names, in order: the bases of a fit, or heads [2, D] whose rows span them. Official code removes the same planes by either.
 */
export function toOfficial(planes: readonly (Basis | HeadWeights)[]): Record<string, Float32Array> {
  if (planes.length === 0) throw new RasaError('weights', 'there are no planes to name');
  return Object.fromEntries(
    planes.map((plane, t) => [
      t === planes.length - 1 ? 'pos_pred.weight' : `pre_pos_layers.${t}.weight`,
      Float32Array.from(isBasis(plane) ? plane.flatMap((row) => [...row]) : plane),
    ]),
  );
}

const isBasis = (plane: Basis | HeadWeights): plane is Basis => Array.isArray(plane);

/** Heads out of named tensors; prefixes `module.` and `rasa_head.` are dropped. Throws `RasaError` if one is missing. */
export function fromOfficial(tensors: Readonly<Record<string, ArrayLike<number>>>): Float32Array[] {
  const plain = new Map(
    Object.entries(tensors).map(([name, values]) => [name.replace(/^(module\.|rasa_head\.|head\.)+/, ''), values]),
  );
  const count = [...plain.keys()].filter((name) => /^pre_pos_layers\.\d+\.weight$/.test(name)).length;
  const names = [...Array.from({ length: count }, (_, t) => `pre_pos_layers.${t}.weight`), 'pos_pred.weight'];
  return names.map((name) => {
    const values = plain.get(name);
    if (!values)
      throw new RasaError(
        'weights',
        `no "${name}" among ${[...plain.keys()].join(', ')}; the layers must be numbered from 0 without gaps`,
      );
    return Float32Array.from(values);
  });
}
