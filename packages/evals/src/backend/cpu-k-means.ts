/**
 * Nearest centroids on the CPU, as one product matrix in blocks. `|x - c|^2 = |x|^2 - 2 <x, c> + |c|^2`. Ties go to the
 * lowest centroid. `accumulate` sums the points of each cluster in order of the points.
 */
import type { Matrix } from '../matrix';
import { sumClusters } from './cluster-sums';
import type { Assignment, ClusterSums, KMeansSession } from './eval-backend';
import { packedProducts, packRows } from './packed';

const POINT_BLOCK = 256;

export function openKMeans(points: Matrix): KMeansSession {
  const pointSquares = rowSquares(points);

  async function assign(centroids: Matrix): Promise<Assignment> {
    const packed = packRows(centroids.data, centroids.cols);
    const centroidSquares = rowSquares(centroids);
    const products = new Float64Array(POINT_BLOCK * centroids.rows);
    const labels = new Int32Array(points.rows);
    const distances = new Float64Array(points.rows);
    for (let begin = 0; begin < points.rows; begin += POINT_BLOCK) {
      const block = packRows(points.data, points.cols, begin, Math.min(begin + POINT_BLOCK, points.rows));
      packedProducts(block, packed, products);
      for (let i = 0; i < block.count; i++) {
        let best = Number.POSITIVE_INFINITY;
        for (let c = 0; c < centroids.rows; c++) {
          const distance = centroidSquares[c]! - 2 * products[i * centroids.rows + c]!;
          if (distance >= best) continue;
          best = distance;
          labels[begin + i] = c;
        }
        distances[begin + i] = Math.max(0, best + pointSquares[begin + i]!);
      }
    }
    return { labels, distances };
  }

  const accumulate = async (centroids: Matrix): Promise<ClusterSums> =>
    sumClusters(points, centroids.rows, await assign(centroids));

  return { assign, accumulate, [Symbol.dispose]: () => {} };
}

function rowSquares({ data, rows, cols }: Matrix): Float64Array {
  const squares = new Float64Array(rows);
  for (let i = 0; i < data.length; i++) squares[Math.floor(i / cols)]! += data[i]! ** 2;
  return squares;
}
