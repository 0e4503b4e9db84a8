/**
 * What the tensors of other families than Franca's tell of a configuration, and what they leave open. A norm before the blocks, attention that pools patches and
 * rotary positions show in names; such models also differ in activation, eps and the base of rotary positions, which no shape tells: they have to be said.
 */
import { isWhole, type VitConfig } from './config';
import { VitError } from './errors';
import type { NamedTensor } from './weights';

type Tensors = ReadonlyMap<string, NamedTensor>;

/** What is special about a model; empty for those of Franca, DINOv2 and DeiT. */
export type FamilyTraits = Partial<Pick<VitConfig, 'preNorm' | 'classToken' | 'ropeTheta' | 'numHeads'>>;

/** Official DINOv3's frequencies: 4 of a head are one of them. */
const PERIODS = 'rope_embed.periods';

/** What names tell. Rotary positions leave no tensor but in DINOv3's own files: there is no table, and what is `said` gives their base. */
export function traitsOf(own: Tensors, said: Partial<VitConfig>): FamilyTraits {
  const rotary = !own.has('pos_embed') && (said.ropeTheta !== undefined || own.has(PERIODS));
  const periods = rotary ? own.get(PERIODS)?.shape[0] : undefined;
  const width = own.get('patch_embed.proj.weight')?.shape[0];
  return {
    ...(own.has('norm_pre.weight') && { preNorm: true }),
    ...(own.has('attn_pool.latent') && !own.has('cls_token') && { classToken: false }),
    // without what is said the base is not known yet, see `requireSaid`
    ...(rotary && { ropeTheta: said.ropeTheta ?? Number.NaN }),
    ...(periods && width && { numHeads: width / (4 * periods) }),
  };
}

/** Names of the tensors that these traits bring. */
export function belongsTo(name: string, { preNorm, classToken, ropeTheta }: FamilyTraits): boolean {
  if (/^norm_pre\.(weight|bias)$/.test(name)) return preNorm === true;
  if (/^attn_pool\.(latent|(q|kv|proj|norm|mlp\.fc1|mlp\.fc2)\.(weight|bias))$/.test(name)) return classToken === false;
  return ropeTheta !== undefined && (name === PERIODS || /^blocks\.\d+\.attn\.qkv\.bias_mask$/.test(name));
}

interface Family {
  readonly what: string;
  readonly open: readonly (keyof VitConfig)[];
  readonly example: string;
}

/** In messages; the rarest first. */
function familyOf({ ropeTheta, classToken, preNorm }: FamilyTraits): Family | undefined {
  if (ropeTheta !== undefined)
    return {
      what: 'rotary positions',
      open: ['ropeTheta', 'imgSize', 'activation', 'normEps'],
      example: "DINOv3: { ropeTheta: 100, imgSize: 224, activation: 'gelu', normEps: 1e-5 }",
    };
  const open = ['activation', 'normEps'] as const;
  if (classToken === false)
    return {
      what: 'attention that pools patches',
      open,
      example: "SigLIP: { activation: 'gelu_tanh', normEps: 1e-6 }",
    };
  if (preNorm)
    return {
      what: 'a norm before the blocks',
      open,
      example: "OpenAI's CLIP: { activation: 'quick_gelu', normEps: 1e-5 }",
    };
  return undefined;
}

/**
 * A whole configuration says all there is to say, by what it leaves out too; single values must name each thing that is open.
 * @throws VitError `weights` with what is open and how to say it
 */
export function requireSaid(traits: FamilyTraits, known: Partial<VitConfig>, stored: boolean): void {
  const family = familyOf(traits);
  if (!family || stored || isWhole(known)) return;
  const open = family.open.filter((key) => known[key] === undefined);
  if (open.length === 0) return;
  throw new VitError(
    'weights',
    `these are weights with ${family.what}, and no shape tells ${open.join(', ')}; say so with known values, such as those of ${family.example}, or by a configuration that is kept with the weights (encodeVitConfig)`,
  );
}
