/** WGSL functions that elementwise expressions may call: the error function and the normal distribution. */

/** By name; each is emitted only where used. `F` is f32 or vec4<f32>. */
export const WGSL_FUNCTIONS: Readonly<Record<string, string>> = {
  // Below 0.75 the Maclaurin series to a^13 (remainder under 2e-8); above it 1 - erfc by a Chebyshev fit in 1 / (1 + a/2) with relative
  // error 1.2e-7 of the complement (Press et al., Numerical Recipes, section 6.2).
  erf: `fn erf(x: F) -> F {
  let a = min(abs(x), F(4.0));
  let t = F(1.0) / (F(1.0) + F(0.5) * a);
  let tail = F(1.0) - t * exp(-a * a - F(1.26551223) + t * (F(1.00002368) + t * (F(0.37409196) + t * (F(0.09678418) + t * (F(-0.18628806)
    + t * (F(0.27886807) + t * (F(-1.13520398) + t * (F(1.48851587) + t * (F(-0.82215223) + t * F(0.17087277))))))))));
  let s = a * a;
  let core = a * (F(1.1283791671) + s * (F(-0.3761263890) + s * (F(0.1128379167) + s * (F(-0.0268661706) + s * (F(0.0052239776) + s * (F(-0.0008548327) + s * F(0.0001205533)))))));
  return sign(x) * select(tail, core, a < F(0.75));
}`,
  // Phi(x), given e^(-x^2 / 2): 1 - Phi(|x|) by a polynomial in 1 / (1 + p |x| / sqrt 2), absolute error 7.5e-8 (Abramowitz & Stegun,
  // formula 7.1.26). Its exponential is that of the density, which the slope of GELU needs too.
  normalCdf: `fn normalCdf(x: F, e: F) -> F {
  let t = F(1.0) / (F(1.0) + F(0.23164189) * abs(x));
  let tail = e * t * (F(0.127414796) + t * (F(-0.142248368) + t * (F(0.7107068705) + t * (F(-0.7265760135) + t * F(0.5307027145)))));
  return select(F(1.0) - tail, tail, x < F(0.0));
}`,
};
