export { type BlockOutput, block, type KeptSamples } from './block';
export { type VitConfig, type VitSize, vitConfig } from './config';
export { VitError, type VitErrorCode } from './errors';
export { fitImages, type ImageBatch } from './fit-images';
export {
  type DetailedFeatures,
  type Features,
  type LoadOptions,
  loadVit,
  type VitModel,
  vitState,
  type WeightSource,
  weightsFrom,
} from './model';
export { positionEmbedding } from './position-embedding';
export { blockSpecs, vitSpecs } from './specs';
export { clsAttention, embed, normIntermediate, splitTokens, type VitOptions, type VitOutput, vit } from './vit';
export { chunkedBlockName, configOfWeights, flatBlockName, type WeightShapes } from './weights';
