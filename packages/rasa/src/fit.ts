/**
 * Fitting RASA (Franca section 3.4). Stage by stage: learn the plane from which position can be read best, remove it, and look for the next one in what
 * remains, until position cannot be read any more.
 */
import type { Gpu } from '@franca/tensor';
import { type PatchSource, shapeOf } from './patch-batches';
import { type Basis, chainBases, projectionMatrix } from './planes';
import { type HeadOptions, headTrainer, type StageResult } from './train-head';

export interface FitOptions extends HeadOptions {
  /** Planes at most (default 9, as published). */
  readonly iterations?: number;
  /** Planes orthogonal to all before (default true); false gives the official chain. */
  readonly orthogonal?: boolean;
  /** Stop before a plane from which position is read no better than this R^2 (default 0.01). */
  readonly minR2?: number;
}

export interface RasaFit {
  /** Trained heads [2, D], in order: `toOfficial` names them. */
  readonly heads: readonly Float32Array[];
  readonly bases: readonly Basis[];
  /** z' = z L, [D, D]. */
  readonly matrix: Float64Array;
  /** How well position could be read before each plane was removed, and, last, after all. */
  readonly stages: readonly StageResult[];
  readonly stoppedEarly: boolean;
}

/** Fits planes on a source. Throws `RasaError` if the source gives too few images for a batch, or changes its grid or width. */
export async function fitRasa(gpu: Gpu, source: PatchSource, options: FitOptions = {}): Promise<RasaFit> {
  const { iterations = 9, orthogonal = true, minR2 = 0.01 } = options;
  const shape = await shapeOf(source);
  using trainer = await headTrainer(gpu, source, shape, options);
  const heads: Float32Array[] = [];
  const stages: StageResult[] = [];
  for (;;) {
    const bases = chainBases(heads, shape.dim, orthogonal);
    const matrix = projectionMatrix(bases, shape.dim);
    const { weights, result } = await trainer.train(heads.length, matrix);
    stages.push(result);
    const stoppedEarly = heads.length < iterations;
    if (!stoppedEarly || result.r2 < minR2) return { heads, bases, matrix, stages, stoppedEarly };
    heads.push(weights);
  }
}
