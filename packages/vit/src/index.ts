export { type BlockOutput, block, type KeptSamples } from './block';
export { type VitConfig, type VitSize, vitConfig } from './config';
export { VitError, type VitErrorCode } from './errors';
export { positionEmbedding } from './position-embedding';
export { blockSpecs, vitSpecs } from './specs';
export { clsAttention, embed, normIntermediate, splitTokens, type VitOptions, type VitOutput, vit } from './vit';
