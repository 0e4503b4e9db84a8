/**
 * Of which pieces of their tensors each of ours is made: one tensor as it is, several one below the other, some rows of one, or zeros. The shapes that theirs must have
 * follow from ours; extents of 1 do not count, since `[D]` and `[1, 1, D]` hold the same numbers.
 */
import type { ParameterSpecs } from '@franca/nn';
import { type Shape, sizeOf } from '@franca/tensor';
import { VitError } from '../errors';
import type { Family } from './family';
import type { Fields } from './fields';

export interface Piece {
  /** Their name, without what comes before it; undefined for zeros. */
  readonly name: string | undefined;
  /** Shape of the whole of it. */
  readonly shape: Shape;
  /** Elements `[start, end)` of it, row-major. */
  readonly start: number;
  readonly end: number;
}

/** The pieces of every tensor of a model, by our names; a mask token that the family does without is left out. */
export function piecesOf(family: Family, fields: Fields, specs: ParameterSpecs): ReadonlyMap<string, readonly Piece[]> {
  const all = Object.entries(specs).flatMap(([name, { shape }]): (readonly [string, readonly Piece[]])[] => {
    const pieces = piecesOfOne(family.names, name, shape);
    if (pieces) return [[name, pieces.map((piece) => (isWithout(family, fields, piece) ? zeros(piece) : piece))]];
    if (name === 'mask_token') return [];
    throw new VitError('config', `${family.name} has nothing that is "${name}"`);
  });
  return new Map(all);
}

function piecesOfOne(names: Family['names'], name: string, shape: Shape): readonly Piece[] | undefined {
  const [, block = ''] = name.match(/^blocks\.(\d+)\./) ?? [];
  const own = name.replace(/^blocks\.\d+\./, 'blocks.#.');
  const [, layer = own, last = ''] = own.match(/^(.*)(\.weight|\.bias)$/) ?? [];
  const [entry, suffix] = Object.hasOwn(names, own) ? [names[own], ''] : [names[layer], last];
  if (entry === undefined) return undefined;
  const theirs = (template: string): string => template.replace('#', block) + suffix;
  if (typeof entry === 'object' && 'thirds' in entry) {
    const [from, to] = entry.thirds;
    const third = sizeOf(shape) / (to - from);
    const whole = [(shape[0]! / (to - from)) * 3, ...shape.slice(1)];
    return [{ name: theirs(entry.of), shape: whole, start: from * third, end: to * third }];
  }
  const parts = typeof entry === 'string' ? [entry] : entry;
  const part = [shape[0]! / parts.length, ...shape.slice(1)];
  return parts.map((template) => ({ name: theirs(template), shape: part, start: 0, end: sizeOf(part) }));
}

/** Whether it is a bias that this model does without. */
function isWithout({ biases }: Family, fields: Fields, { name }: Piece): boolean {
  const [layer = '', last] = name?.split('.').slice(-2) ?? [];
  if (last !== 'bias' || !Object.hasOwn(biases, layer)) return false;
  const field = biases[layer]!;
  return field === false || fields[field] === false;
}

const zeros = (piece: Piece): Piece => ({ ...piece, name: undefined });
