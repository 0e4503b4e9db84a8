/**
 * Eigendecomposition of a symmetric matrix `[size, size]`, with the signs of the vectors fixed. An eigenvector's sign
 * is arbitrary; here its component of largest magnitude is positive, so that results can be repeated.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Eigenvalues in descending order and their unit eigenvectors as rows `[size, size]`. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

export function symmetricEigen(symmetric: Float64Array, size: number): SymmetricEigen {
  const rows = Array.from({ length: size }, (_, i) => [...symmetric.subarray(i * size, (i + 1) * size)]);
  const solved = new EigenvalueDecomposition(new Matrix(rows), { assumeSymmetric: true });
  const values = solved.realEigenvalues;
  const order = values.map((_, i) => i).toSorted((a, b) => values[b]! - values[a]!);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => {
    const column = solved.eigenvectorMatrix.getColumn(from);
    const peak = column.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    vectors.set(peak < 0 ? column.map((value) => -value) : column, to * size);
  });
  return { values: Float64Array.from(order, (i) => values[i]!), vectors };
}
