/**
 * Signs of a run that has gone wrong, in words. Self-supervised training fails silently: the loss stays finite while every image gets the same
 * feature. What tells it is the spread of features, the number of prototypes in use and the entropy of the teacher's targets.
 */
export interface HealthReading {
  readonly step: number;
  readonly loss: number;
  /** Mean over dimensions of the standard deviation of L2-normalised CLS features over a batch, times sqrt(D): 1 for isotropic features, 0 if all images look alike. */
  readonly featureStd: number;
  /** Mean entropy of the teacher's targets over ln K: 1 uniform, 0 one-hot. */
  readonly teacherEntropy: number;
  /** Share of prototypes that are some sample's first choice over the last interval. */
  readonly prototypesInUse: number;
  /** Steps skipped because gradients were not finite, since the last reading. */
  readonly skipped: number;
  readonly stepsSince: number;
}

export interface HealthNotice {
  readonly severity: 'warning' | 'error';
  readonly code:
    | 'not-finite'
    | 'collapse'
    | 'uniform-teacher'
    | 'one-hot-teacher'
    | 'few-prototypes'
    | 'many-skipped'
    | 'below-start';
  readonly text: string;
}

/** What is wrong, most serious first; empty when nothing is. `warmedUp` is false while features and targets are still near
 * uniform by construction: LayerScale starts every image at almost the same CLS token. */
export function diagnoseHealth(reading: HealthReading, warmedUp: boolean): HealthNotice[] {
  const notices: HealthNotice[] = [];
  const say = (severity: HealthNotice['severity'], code: HealthNotice['code'], text: string) =>
    notices.push({ severity, code, text: `step ${reading.step}: ${text}` });
  if (!Number.isFinite(reading.loss)) say('error', 'not-finite', `the loss is ${reading.loss}`);
  if (warmedUp && reading.featureStd < 0.05)
    say(
      'error',
      'collapse',
      `all images get nearly the same feature (relative spread ${reading.featureStd.toFixed(3)}, healthy is above 0.3): the model has collapsed. Lower the learning rate, raise the batch size or the KoLeo weight`,
    );
  if (reading.skipped > reading.stepsSince / 2)
    say(
      'warning',
      'many-skipped',
      `${reading.skipped} of ${reading.stepsSince} steps had gradients that were not finite and were skipped`,
    );
  if (!warmedUp) return notices;
  if (reading.teacherEntropy > 0.995)
    say(
      'warning',
      'uniform-teacher',
      `the teacher's targets are uniform (relative entropy ${reading.teacherEntropy.toFixed(4)}): nothing is being taught. Lower the teacher temperature or the number of prototypes`,
    );
  if (reading.teacherEntropy < 0.005)
    say(
      'warning',
      'one-hot-teacher',
      `the teacher's targets are one-hot (relative entropy ${reading.teacherEntropy.toFixed(4)}): raise the teacher temperature`,
    );
  if (reading.prototypesInUse < 0.01)
    say(
      'warning',
      'few-prototypes',
      `only ${(100 * reading.prototypesInUse).toFixed(2)} % of the prototypes are anybody's first choice`,
    );
  return notices;
}

/** Relative spread of features [n, D]: mean standard deviation over dimensions of L2-normalised rows, times sqrt(D). */
export function featureSpread(features: Float32Array, D: number): number {
  const n = features.length / D;
  const sum = new Float64Array(D);
  const squares = new Float64Array(D);
  for (let i = 0; i < n; i++) {
    const row = features.subarray(i * D, (i + 1) * D);
    const length = Math.sqrt(row.reduce((total, value) => total + value * value, 0)) || 1;
    row.forEach((value, d) => {
      sum[d]! += value / length;
      squares[d]! += (value / length) ** 2;
    });
  }
  let spread = 0;
  for (let d = 0; d < D; d++) spread += Math.sqrt(Math.max(squares[d]! / n - (sum[d]! / n) ** 2, 0));
  return (spread / D) * Math.sqrt(D);
}
