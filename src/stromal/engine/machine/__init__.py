"""From expressions to machine code: one step of the solver for several patients at once (SIMD lanes).

In the order of the work: `blueprint` says what is computed, `lowering` rewrites expressions for speed, `elimination`
plans the sparse factorisation, `tableau` holds the methods, `ir` writes vector instructions and `evaluation`
expressions with them, `kernels` and `step` put them together as functions, `layout` says where their memory is,
`library` compiles and keeps them, `program` gives the functions of a model.
"""
