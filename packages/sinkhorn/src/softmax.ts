/** exp(x - max) / sum of a row of finite values, in place: the sum is 1 to rounding whatever their size. */
export function softmaxInPlace(row: Float64Array): void {
  let max = Number.NEGATIVE_INFINITY;
  for (const value of row) max = Math.max(max, value);
  let sum = 0;
  for (let k = 0; k < row.length; k++) {
    row[k] = Math.exp(row[k]! - max);
    sum += row[k]!;
  }
  for (let k = 0; k < row.length; k++) row[k]! /= sum;
}
