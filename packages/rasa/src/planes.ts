/**
 * Planes and their removal (Franca section 3.4, "Removal of Absolute Spatial Attributes"). A position head has two rows, r for the vertical and c
 * for the horizontal coordinate. They span a plane with the orthonormal basis
 *
 *   u_r = r / |r|,   u_c = (c1 - (c1 . u_r) u_r) / |...|  with c1 = c / |c|,
 *
 * and removing it maps z to z - (z . u_r) u_r - (z . u_c) u_c. Several planes are removed one after the other. The official planes are not orthogonal to
 * each other, so a later removal brings a little of an earlier plane back; `orthogonal` makes every plane orthogonal to all before it, and the
 * product is an orthogonal projection.
 */
import { RasaError } from './errors';
import type { Basis } from './result';

/** Weights of one position head [2, D]: the row direction, then the column direction. */
export type HeadWeights = Float32Array | Float64Array;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const normalised = (v: Float64Array): Float64Array => {
  const length = Math.sqrt(dot(v, v));
  // of a unit vector, less than this left after orthogonalisation is rounding
  if (!(length > 1e-7))
    throw new RasaError('weights', 'a position head has a zero row, or its rows are parallel: it spans no plane');
  return v.map((value) => value / length);
};

/** v without its components along the orthonormal `basis`; done twice, as once leaves rounding of the size of what was removed. */
function orthogonalTo(v: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const out = v.slice();
  for (let pass = 0; pass < 2; pass++) {
    for (const u of basis) {
      const along = dot(out, u);
      for (let i = 0; i < out.length; i++) out[i]! -= along * u[i]!;
    }
  }
  return out;
}

/** The basis of one head; with `previous`, made orthogonal to those first. Throws `RasaError` if the rows span no plane. */
export function planeBasis(weights: HeadWeights, D: number, previous: readonly Float64Array[] = []): Basis {
  if (weights.length % D !== 0 || weights.length === 0)
    throw new RasaError('shape', `${weights.length} weights are no rows of ${D}`);
  const rows = Array.from({ length: weights.length / D }, (_, i) =>
    Float64Array.from(weights.subarray(i * D, (i + 1) * D)),
  );
  const basis: Float64Array[] = [];
  for (const row of rows) basis.push(normalised(orthogonalTo(normalised(row), [...previous, ...basis])));
  return basis;
}

/** Bases of a chain of heads. `orthogonal` (default true): each orthogonal to all before; false: as the official chain. */
export function chainBases(heads: readonly HeadWeights[], D: number, orthogonal = true): Basis[] {
  const bases: Basis[] = [];
  for (const head of heads) bases.push(planeBasis(head, D, orthogonal ? bases.flat() : []));
  return bases;
}

/** The map z' = z L of removing all planes in order, [D, D] row-major in f64 (rows: input dimension). */
export function projectionMatrix(bases: readonly Basis[], D: number): Float64Array {
  const L = new Float64Array(D * D);
  for (let i = 0; i < D; i++) L[i * D + i] = 1;
  // each row of L is a unit vector carried through the chain
  for (let i = 0; i < D; i++) removePlanes(L.subarray(i * D, (i + 1) * D), D, bases);
  return L;
}

/** Removes all planes from rows [n, D], in place. Throws `RasaError` `shape` if `D` is not their width or that of the planes. */
export function removePlanes(rows: Float32Array | Float64Array, D: number, bases: readonly Basis[]): void {
  if (rows.length % D !== 0) throw new RasaError('shape', `${rows.length} values are no rows of ${D}`);
  for (const u of bases.flat())
    if (u.length !== D) throw new RasaError('shape', `planes of width ${u.length} cannot be removed from rows of ${D}`);
  for (let start = 0; start < rows.length; start += D) {
    const row = rows.subarray(start, start + D);
    for (const basis of bases) {
      const along = basis.map((u) => dot(row, u));
      for (let i = 0; i < D; i++) for (let k = 0; k < basis.length; k++) row[i]! -= along[k]! * basis[k]![i]!;
    }
  }
}

/** Rows [n, D] split by one plane: `position` is what lies in it, `rest` what remains. */
export function decompose(rows: Float32Array, D: number, basis: Basis): { position: Float32Array; rest: Float32Array } {
  const rest = rows.slice();
  removePlanes(rest, D, [basis]);
  return { position: rows.map((value, i) => value - rest[i]!), rest };
}
