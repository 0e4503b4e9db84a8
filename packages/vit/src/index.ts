export { type BlockConfig, type BlockOutput, block, type KeptSamples, type TokenLayout } from './block';
export { usualHeads, type VitConfig, type VitSize, vitConfig } from './config';
export { type ConfigOfWeights, configOf } from './config-of-weights';
export { VitError, type VitErrorCode } from './errors';
export type { BasicFeatures, FeatureRequest, Features, RequestedFeatures } from './features';
export { FINAL_LAYER, type FinalLayer, finalLayerOf } from './final-layer';
export { fitImages, type ImageBatch } from './fit-images';
export { type Dinov2Files, type Dinov2Tensor, dinov2Files } from './hugging-face/dinov2-files';
export { foldNormalisation, type PixelNormalisation } from './hugging-face/fold-normalisation';
export {
  type TranslatedRange,
  type TranslatedTensor,
  type TranslatedWeights,
  translateHuggingFace,
} from './hugging-face/translate';
export { type ConfiguredWeights, type LoadedVit, type LoadOptions, loadVit, vitState } from './load';
export { type VitModel, vitOnState, type WeightsOnDevice } from './model';
export { type PositionOptions, positionEmbedding } from './position-embedding';
export { type RotaryTable, rotaryTable } from './rotary';
export { blockSpecs, vitSpecs } from './specs';
export { type AssumedKey, CONFIG_KEY, decodeVitConfig, encodeVitConfig, type StoredVitConfig } from './stored-config';
export { normIntermediate, splitTokens, type VitTokens } from './token-parts';
export { clsAttention, embed, type VitOptions, type VitOutput, vit } from './vit';
export { type VitImages, vitInOnePass } from './vit-in-one-pass';
export { type WeightFile, type WeightSource, type WeightTable, weightsOf } from './weights';
