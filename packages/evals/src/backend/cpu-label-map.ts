/**
 * The class of each pixel on the CPU: class scores upsampled bilinearly, then the largest. Ties go to the lowest class.
 */
import { bilinear, type Extent } from '../numerics/bilinear';
import type { ScoreGrid } from './eval-backend';

export async function labelMap({ scores, grid }: ScoreGrid, size: Extent): Promise<Int32Array> {
  const classes = scores.cols;
  const pixels = new Float64Array(size[0] * size[1] * classes);
  bilinear(grid, size).apply(scores.data, pixels, classes);
  const labels = new Int32Array(size[0] * size[1]);
  for (let p = 0; p < labels.length; p++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (pixels[p * classes + c]! > pixels[p * classes + best]!) best = c;
    labels[p] = best;
  }
  return labels;
}
