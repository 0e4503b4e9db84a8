/** Whether a configuration is one of a model that there can be: sizes that divide, options that go together. */
import { headsThatFit, type VitConfig } from './config';
import { VitError } from './errors';

const ACTIVATIONS: readonly unknown[] = [undefined, 'gelu', 'gelu_tanh', 'quick_gelu'];

/** @throws VitError `config` naming the values that do not go together */
export function checkConfig(config: VitConfig): void {
  const { embedDim: D, numHeads, imgSize, patchSize, ffnLayer, activation, normEps, ropeTheta } = config;
  if (D % numHeads !== 0) refuse(`embedDim ${D} does not divide into ${numHeads} heads`);
  if (imgSize % patchSize !== 0) refuse(`imgSize ${imgSize} is no multiple of patchSize ${patchSize}`);
  if (!ACTIVATIONS.includes(activation))
    refuse(`there is no activation "${activation}"; there are gelu, gelu_tanh and quick_gelu`);
  if (ffnLayer === 'swiglu' && (activation ?? 'gelu') !== 'gelu')
    refuse(`the activation ${activation} is for ffnLayer mlp; swiglu has one of its own`);
  checkPositive('normEps', normEps);
  checkPositive('ropeTheta', ropeTheta);
  if (ropeTheta !== undefined && (D / numHeads) % 4 !== 0)
    refuse(
      `rotary positions turn pairs of numbers along two axes, so that the width of a head is a multiple of 4; it is ${D / numHeads}, with ${headsThatFit(D).filter(fitsRotary(D)).join(' or ') || 'no number of'} heads it is one`,
    );
}

const fitsRotary = (D: number) => (heads: number) => (D / heads) % 4 === 0;

function checkPositive(name: 'normEps' | 'ropeTheta', value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0))
    refuse(`${name} is ${value}; give a number above 0, or leave it out`);
}

function refuse(message: string): never {
  throw new VitError('config', message);
}
