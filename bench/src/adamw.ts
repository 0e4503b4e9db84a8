/**
 * AdamW (Loshchilov & Hutter 2019) for the peers, written by hand for each and the same as the engine's: decoupled decay on every parameter,
 * bias corrections kept beside the moments on the device.
 */
import type { Jax, JaxArray } from './parties/jax';
import type { Tf, TfTensor } from './parties/tfjs';

// A gradient of nothing but rounding, such as that of a key bias, must not decide which way its parameter moves.
export const ADAMW = { lr: 1e-3, weightDecay: 0.04, betas: [0.9, 0.999], eps: 1e-7 } as const;
const {
  lr,
  weightDecay,
  betas: [b1, b2],
  eps,
} = ADAMW;

// biome-ignore lint/style/useConsistentTypeDefinitions: only a type, not an interface, is assignable to a tree with any keys
export type OptimizerState<T> = {
  readonly weights: Record<string, T>;
  readonly m: Record<string, T>;
  readonly v: Record<string, T>;
  /** 1 - b1^t and 1 - b2^t, scalars; zero at the start. */
  readonly corrections: { readonly m: T; readonly v: T };
};

const nextCorrections = <T>(before: OptimizerState<T>['corrections'], next: (c: T, beta: number) => T) => ({
  m: next(before.m, b1),
  v: next(before.v, b2),
});

/** Updates every parameter; `update` gives its weight and moments. */
function eachParameter<T>(
  { weights, m, v }: OptimizerState<T>,
  gradients: Record<string, T>,
  corrections: OptimizerState<T>['corrections'],
  update: (weight: T, gradient: T, m: T, v: T) => readonly [weight: T, m: T, v: T],
): OptimizerState<T> {
  const next: OptimizerState<T> = { weights: {}, m: {}, v: {}, corrections };
  for (const name of Object.keys(weights))
    [next.weights[name], next.m[name], next.v[name]] = update(weights[name]!, gradients[name]!, m[name]!, v[name]!) as [
      T,
      T,
      T,
    ];
  return next;
}

export function tfjsAdamW(
  tf: Tf,
  state: OptimizerState<TfTensor>,
  gradients: Record<string, TfTensor>,
): OptimizerState<TfTensor> {
  const corrections = nextCorrections(state.corrections, (c, beta) => tf.add(tf.mul(c, beta), 1 - beta));
  return eachParameter(state, gradients, corrections, (weight, gradient, m, v) => {
    const nextM = tf.add(tf.mul(m, b1), tf.mul(gradient, 1 - b1));
    const nextV = tf.add(tf.mul(v, b2), tf.mul(tf.square(gradient), 1 - b2));
    const root = tf.add(tf.sqrt(tf.div(nextV, corrections.v)), eps);
    const change = tf.mul(tf.div(tf.div(nextM, corrections.m), root), lr);
    return [tf.sub(tf.mul(weight, 1 - lr * weightDecay), change), nextM, nextV];
  });
}

/** Takes ownership of state and gradients. */
export function jaxAdamW(
  { np }: Jax,
  state: OptimizerState<JaxArray>,
  gradients: Record<string, JaxArray>,
): OptimizerState<JaxArray> {
  const corrections = nextCorrections(state.corrections, (c, beta) => c.mul(beta).add(1 - beta));
  return eachParameter(state, gradients, corrections, (weight, gradient, m, v) => {
    const nextM = m.mul(b1).add(gradient.ref.mul(1 - b1));
    const nextV = v.mul(b2).add(gradient.ref.mul(gradient).mul(1 - b2));
    const root = np.sqrt(nextV.ref.div(corrections.v.ref)).add(eps);
    const change = nextM.ref.div(corrections.m.ref).div(root).mul(lr);
    return [weight.mul(1 - lr * weightDecay).sub(change), nextM, nextV];
  });
}
