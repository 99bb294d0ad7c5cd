"""numba's compiler for kernels, with fewer passes and fewer lines of LLVM code."""
