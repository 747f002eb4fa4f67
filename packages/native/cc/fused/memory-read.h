// Softmax reads of a memory, one head at a time: y_i = Σ_j dropout(softmax_j(scale · q_i·k_j)) v_j.
//
// Works on transposed score tiles [keys][tile's queries]. The softmax then runs down the tile without horizontal sums, and
// the tile is at once the packed operand of the next product. Keys come in chunks with an online maximum (Milakov &
// Gimelshein 2018; Dao et al. 2022, "FlashAttention"): what is kept of a row is its log-sum-exp, to base 2, from which the
// gradient recomputes the weights. Nothing of size queries × keys exists beyond one tile.
//
// The same code reads the contextual memory (queries are the keys, only earlier ones are readable), the persistent
// memory (all slots are readable) and plain causal attention.
#pragma once
#include "read-backward.h"
#include "read-forward.h"
