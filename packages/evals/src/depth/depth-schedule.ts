/** Learning rates of the published depth probes, step by step. */

/** Probe3D's factor of the learning rate at a step from 0: linear from 0.01 to 1, then a quarter of a cosine back to 0.01. */
export function warmCosine(step: number, steps: number, warmup: number): number {
  if (step <= warmup) return warmup > 0 ? 0.99 * (step / warmup) + 0.01 : 1;
  return 0.99 * Math.cos(((step - warmup) / (steps - warmup)) * (Math.PI / 2)) + 0.01;
}

/** What DINOv3 gives its optimizer at a step. */
export interface CycleStep {
  readonly learningRate: number;
  /** Decay of the first moment: 0 while the rate rises, so that a step is one along the signs of the gradient alone; then from 0.85 to 0.95. */
  readonly beta1: number;
}

/**
 * DINOv3's cycle: for the first third of the steps the rate rises in proportion to the step under half a cosine over all steps, then it follows half a cosine down from `most`
 * to `most` / 25,000. There is a small jump where they meet; it is so in the published scheduler.
 */
export function longCycle(step: number, steps: number, most: number): CycleStep {
  const warmup = steps / 3;
  const half = (at: number): number => (1 + Math.cos(Math.PI * at)) / 2;
  if (step < warmup) return { learningRate: most / 1000 + (most * half(step / steps) * step) / warmup, beta1: 0 };
  const least = most / 25 / 1000;
  return {
    learningRate: least + (most - least) * half((step + 1) / steps),
    beta1: 0.95 + (0.85 - 0.95) * half((step - warmup) / (steps - warmup)),
  };
}
