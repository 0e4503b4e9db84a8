/**
 * Names of a RASA head in official checkpoints. They are `pre_pos_layers.{t}.weight` for the planes of earlier stages and `pos_pred.weight` for the last,
 * each [2, D].
 */
import { RasaError } from './errors';
import type { HeadWeights } from './planes';

/** Heads under their official names, in order. */
export function toOfficial(heads: readonly HeadWeights[]): Record<string, Float32Array> {
  if (heads.length === 0) throw new RasaError('weights', 'there are no position heads');
  return Object.fromEntries(
    heads.map((head, t) => [
      t === heads.length - 1 ? 'pos_pred.weight' : `pre_pos_layers.${t}.weight`,
      Float32Array.from(head),
    ]),
  );
}

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
