#include "tensor/gemm.h"

#include "base/error.h"
#include "tensor/cpu.h"
#include "tensor/gemm_kernel.h"

enum {
    SUM_COLUMNS = 512,
    TASKS_PER_THREAD = 8,
    OWN_BYTES = 352 << 10,   /* of what one task packs: stays in the second cache */
    SHARED_BYTES = 24 << 20, /* of what all tasks read: stays in the last one */
    SMALL = 1 << 18,         /* products that are done before another thread is awake */
};

static int int_min(int a, int b) { return a < b ? a : b; }
static int int_max(int a, int b) { return a > b ? a : b; }
static int pieces(int n, int size) { return (n + size - 1) / size; }
static int round_up(int n, int unit) { return pieces(n, unit) * unit; }

/* A side, or a part of it, in panels: what one tile takes. */
struct panel {
    int x0, n, width; /* width: columns that it takes in memory; n for rows */
};

/* Rows are cut evenly, since a tile of any height is full of work: the first `longer` panels have one
 * more than `size`. Columns are cut into whole widths first. */
struct cut {
    bool rows;
    int extent, panels, size, longer, width_least;
};

static struct cut cut_into_panels(const struct gemm_kernel *kernel, bool rows, int extent)
{
    const int panels = pieces(extent, rows ? kernel->rows : kernel->width);
    struct cut cut = {rows, extent, panels, kernel->width, 0, kernel->width_least};
    if (rows) {
        cut.size = extent / panels;
        cut.longer = extent % panels;
    }
    return cut;
}

static struct panel panel_at(const struct cut *cut, int i)
{
    if (cut->rows) {
        const int n = cut->size + (i < cut->longer);
        return (struct panel){i * cut->size + int_min(i, cut->longer), n, n};
    }
    const int x0 = i * cut->size, n = int_min(cut->size, cut->extent - x0);
    int width = cut->size;
    while (width / 2 >= n && width > cut->width_least) width /= 2;
    return (struct panel){x0, n, width};
}

/* ---- one product, as its two sides ----
 *
 *   own      each task packs a block of it for itself
 *   shared   is packed once, for all tasks; the side with the smaller extent
 *
 * One of them gives the rows of tiles and one the columns. Tiles' rows are c's rows, or c's columns
 * when that spares us a large transposition (`turned`). None of this changes a sum: those go through
 * k in order, in blocks that K alone decides.
 */
struct side {
    struct strip strip;
    int extent; /* x are 0 .. extent - 1 */
    bool rows;
};

struct product {
    const struct gemm_kernel *kernel;
    struct side own, shared;
    void *c; /* float, or int32_t for bytes: both of 4 bytes */
    ptrdiff_t c_row;
    const float *bias; /* [N] or NULL */
    bool add, turned;

    int units;       /* of the whole k, a multiple of GEMM_UNITS_STEP */
    int block_units; /* of one block */
    int from, to;    /* blocks of this round */
    int own_blocks;  /* tasks */
    struct cut shared_cut;
    bool shared_inside; /* the inner loop goes over the shared side */
    uint32_t *packed;   /* shared, blocks from .. to - 1 */
    struct pool *pool;
};

static void pack_panel(const struct gemm_kernel *kernel, uint32_t *out, const struct side *side,
                       int x0, struct panel panel, int unit, int units)
{
    const int k0 = unit * kernel->k_per_unit;
    if (side->rows) kernel->pack_rows(out, &side->strip, x0 + panel.x0, panel.n, k0, units);
    else kernel->pack_columns(out, &side->strip, x0 + panel.x0, panel.n, panel.width, k0, units);
}

/* Units that one x takes in a packed block. */
static int packed_units(int units) { return round_up(units, GEMM_LINE); }

static int block_units_at(const struct product *product, int block)
{
    return int_min(product->block_units, product->units - block * product->block_units);
}

/* Where a panel of the shared side lies. */
static uint32_t *shared_panel(const struct product *product, int block, struct panel panel)
{
    const size_t extent =
        (size_t)round_up(product->shared.extent, product->shared.rows ? 1 : product->kernel->width);
    return product->packed +
           (size_t)(block - product->from) * extent * (size_t)product->block_units +
           (size_t)panel.x0 * (size_t)packed_units(block_units_at(product, block));
}

static void pack_shared_task(void *context, int task, int worker)
{
    const struct product *product = context;
    const struct side *side = &product->shared;
    const int panels = product->shared_cut.panels;
    const int block = product->from + task / panels;
    const struct panel panel = panel_at(&product->shared_cut, task % panels);
    (void)worker;
    pack_panel(product->kernel, shared_panel(product, block, panel), side, 0, panel,
               block * product->block_units, block_units_at(product, block));
}

/* ---- a task: all tiles of one block of the own side ---- */

struct block {
    const struct product *product;
    int x0, x1;       /* of the own side */
    int block, units; /* of k */
    struct cut cut;   /* of x0 .. x1 */
    const uint32_t *packed;
    /* What the next block will read, and how much of it has been asked for. */
    const char *next;
    int asked, left; /* `left`: tiles to come */
};

static void own_extent(const struct product *product, int task, int *x0, int *x1)
{
    const struct side *own = &product->own;
    const int step = own->rows ? 1 : product->kernel->width; /* columns are cut where panels end */
    const int64_t steps = pieces(own->extent, step);
    *x0 = (int)(steps * task / product->own_blocks) * step;
    *x1 = int_min((int)(steps * (task + 1) / product->own_blocks) * step, own->extent);
}

static const char *element_at(const struct strip *strip, int x, int k)
{
    const ptrdiff_t at = x * strip->x_step + k * strip->k_step;
    return (const char *)strip->data + at * (gemm_form_bytes(strip->form));
}

/* A piece of what the next block will read, for a tile to ask for while it multiplies: the tile takes
 * a step for each line of units. `left` tiles are still to come: what is asked for too early is gone
 * from the cache when it is wanted. Asking for memory that is not there is harmless. */
static struct gemm_ahead next_ahead(struct block *block, int left)
{
    const struct strip *strip = &block->product->own.strip;
    const int bytes = gemm_form_bytes(strip->form), extent = block->x1 - block->x0;
    struct gemm_ahead ahead = {(const char *)block->packed, 0, 0};
    if (!block->next) return ahead;
    if (strip->k_step == 1) { /* the next rows, each a run of memory */
        const int all = pieces(extent, GEMM_AHEAD), i = block->asked;
        if (i >= all || left > all - i) return ahead;
        ahead.at = block->next + i * GEMM_AHEAD * strip->x_step * bytes;
        ahead.line_step = 64;
        ahead.step = strip->x_step * bytes;
        block->asked++;
    } else if (strip->x_step == 1) { /* for each k, the run of x; in stretches of some k */
        const int lines = pieces(block->units, GEMM_LINE);
        const int across = pieces(extent * bytes, GEMM_AHEAD * 64);
        const int k_all = block->units * block->product->kernel->k_per_unit;
        const int all = pieces(k_all, lines) * across, i = block->asked;
        if (i >= all || left > all - i) return ahead;
        ahead.at =
            block->next + i / across * lines * strip->k_step * bytes + i % across * GEMM_AHEAD * 64;
        ahead.line_step = strip->k_step * bytes;
        ahead.step = 64;
        block->asked++;
    }
    return ahead;
}

/* A piece of the shared panel after this one: with each of our panels another piece, so that it is here
 * when the last of them is done. */
static struct gemm_ahead shared_ahead(const struct block *block, int i, int s)
{
    const struct product *product = block->product;
    struct gemm_ahead ahead = {(const char *)block->packed, 0, 0};
    if (product->shared_inside || s + 1 >= product->shared_cut.panels) return ahead;
    const struct panel next = panel_at(&product->shared_cut, s + 1);
    const int lines = next.width * packed_units(block->units) / GEMM_LINE;
    const int here = pieces(block->units, GEMM_LINE) * GEMM_AHEAD;
    if (i * here >= lines) return ahead;
    ahead.at = (const char *)shared_panel(product, block->block, next) + (ptrdiff_t)i * here * 64;
    ahead.line_step = GEMM_AHEAD * 64;
    ahead.step = 64;
    return ahead;
}

/* c is read and written when the sums are ready: it is asked for while they are made. Inlined by order,
 * since gcc takes a function that only asks for memory for one that does nothing. */
__attribute__((always_inline)) static inline void ask_for_c(const uint32_t *c, ptrdiff_t c_row,
                                                            int rows, int columns)
{
    for (int m = 0; m < rows; m++) {
        for (int at = 0; at < columns; at += 16) __builtin_prefetch(c + m * c_row + at, 1);
        __builtin_prefetch(c + m * c_row + columns - 1, 1);
    }
}

/* The tile of panel `i` of our own and panel `s` of the shared side. */
static void do_tile(struct block *block, int i, int s)
{
    const struct product *product = block->product;
    const struct gemm_kernel *kernel = product->kernel;
    const bool own_rows = product->own.rows;
    _Alignas(64) uint32_t sums[GEMM_TILE_LIMIT]; /* floats or integers */

    struct panel ours = panel_at(&block->cut, i);
    const uint32_t *us = block->packed + (ptrdiff_t)ours.x0 * packed_units(block->units);
    ours.x0 += block->x0;
    const struct panel theirs = panel_at(&product->shared_cut, s);
    const uint32_t *them = shared_panel(product, block->block, theirs);
    const struct panel rows = own_rows ? ours : theirs, columns = own_rows ? theirs : ours;

    const bool turned = product->turned;
    const int m = turned ? columns.x0 : rows.x0, n = turned ? rows.x0 : columns.x0;
    const struct gemm_store store = {
        .c = (uint32_t *)product->c + m * product->c_row + n,
        .c_row = product->c_row,
        .bias = block->block == 0 && product->bias ? product->bias + n : NULL,
        .add = block->block > 0 || product->add,
        .turned = turned,
    };
    const struct gemm_ahead ahead[GEMM_STREAMS] = {next_ahead(block, --block->left),
                                                   shared_ahead(block, i, s)};
    ask_for_c(store.c, store.c_row, turned ? columns.n : rows.n, turned ? rows.n : columns.n);
    kernel->tile(sums, own_rows ? us : them, own_rows ? them : us, block->units, rows.n,
                 columns.width, ahead);
    kernel->store(&store, sums, rows.n, columns.n, columns.width);
}

/* Where the block after this one begins: the next k of the same, or the one that this thread is likely
 * to get next. */
static const char *next_block(const struct product *product, int task, const struct block *block)
{
    const struct strip *strip = &product->own.strip;
    const int k_step = product->block_units * product->kernel->k_per_unit;
    if (block->block + 1 < product->to)
        return element_at(strip, block->x0, (block->block + 1) * k_step);
    const int next = task + pool_threads(product->pool);
    if (next >= product->own_blocks) return NULL;
    int x0, x1;
    own_extent(product, next, &x0, &x1);
    return element_at(strip, x0, product->from * k_step);
}

static void own_task(void *context, int task, int worker)
{
    const struct product *product = context;
    const struct gemm_kernel *kernel = product->kernel;
    const struct side *own = &product->own;
    struct block block = {.product = product};
    own_extent(product, task, &block.x0, &block.x1);
    block.cut = cut_into_panels(kernel, own->rows, block.x1 - block.x0);
    const int own_panels = block.cut.panels, panels = product->shared_cut.panels;
    const size_t most = (size_t)round_up(block.x1 - block.x0, own->rows ? 1 : kernel->width) *
                        (size_t)packed_units(product->block_units) * sizeof(uint32_t);
    uint32_t *packed = pool_scratch(product->pool, worker, most);
    block.packed = packed;

    for (block.block = product->from; block.block < product->to; block.block++) {
        const int first = block.block * product->block_units;
        block.units = block_units_at(product, block.block);
        for (int i = 0; i < own_panels; i++) {
            const struct panel panel = panel_at(&block.cut, i);
            pack_panel(kernel, packed + (ptrdiff_t)panel.x0 * packed_units(block.units), own,
                       block.x0, panel, first, block.units);
        }
        block.next = next_block(product, task, &block);
        block.asked = 0;
        block.left = own_panels * panels;
        /* Along c's rows, when the second cache holds what is then gone through again and again. */
        if (product->shared_inside)
            for (int i = 0; i < own_panels; i++)
                for (int s = 0; s < panels; s++) do_tile(&block, i, s);
        else
            for (int s = 0; s < panels; s++)
                for (int i = 0; i < own_panels; i++) do_tile(&block, i, s);
    }
}

/* ---- who is what ---- */

/* What a role costs, in cycles for each product of two numbers: the products themselves, filled up to
 * whole vectors; packing, repeated over the other side's extent; writing c, once in k. The constants
 * are measured, and only choose between two right ways. */
static double role_cost(const struct gemm_kernel *kernel, const struct side *rows,
                        const struct side *columns, bool turned)
{
    const double copy = 1, transpose = 6, write = turned ? 16 : 4;
    const double lanes = kernel->width / 2;
    const double fill = (double)round_up(columns->extent, kernel->width_least) / columns->extent;
    const double pack_rows = rows->strip.k_step == 1 ? copy : transpose;
    const double pack_columns = columns->strip.x_step == 1 ? copy : transpose;
    return fill *
           (1 + pack_rows / columns->extent + pack_columns / rows->extent +
            write / rows->strip.n_k) /
           lanes;
}

static const struct gemm_kernel *choose_kernel(enum gemm_form form)
{
    const bool bytes = form == GEMM_U8;
#ifdef __x86_64__
    if (bytes && cpu_has_vnni()) return &gemm_kernel_avx512_vnni;
    switch (cpu_isa()) {
    case ISA_AVX2: return bytes ? &gemm_kernel_avx2_int8 : &gemm_kernel_avx2;
    case ISA_AVX512: return bytes ? &gemm_kernel_avx2_int8 : &gemm_kernel_avx512;
    case ISA_AVX512_BF16:
        return bytes              ? &gemm_kernel_avx2_int8
               : form == GEMM_F32 ? &gemm_kernel_avx512
                                  : &gemm_kernel_avx512_bf16;
    default: break;
    }
#elif defined __aarch64__
    if (cpu_isa() == ISA_NEON && !bytes) return &gemm_kernel_neon;
#endif
    return bytes ? &gemm_kernel_scalar_int8 : &gemm_kernel_scalar;
}

/* vpdpbusd wants to know which side is unsigned: rows, when a gives them. */
static const struct gemm_kernel *kernel_for_roles(const struct gemm_kernel *kernel, bool turned)
{
#ifdef __x86_64__
    if (turned && kernel == &gemm_kernel_avx512_vnni) return &gemm_kernel_avx512_vnni_turned;
#endif
    (void)turned;
    return kernel;
}

/* What a matrix holds, and how it is to be read. */
struct operand {
    const void *data;
    ptrdiff_t row, column;
    enum gemm_form form;
};

struct call {
    struct operand a, b;
    void *c; /* float, or int32_t for bytes: both of 4 bytes */
    ptrdiff_t c_row;
    const float *bias;
    int M, N, K;
    bool add;
};

/* K = 0: an empty sum. */
static void write_empty(const struct call *call)
{
    for (int m = 0; m < call->M; m++)
        for (int n = 0; n < call->N; n++) {
            float *c = (float *)call->c + m * call->c_row + n; /* 0 is the same in both */
            if (!call->add) *c = call->bias ? call->bias[n] : 0.0f;
        }
}

static void choose_blocks(struct product *product)
{
    const struct gemm_kernel *kernel = product->kernel;
    const struct side *own = &product->own;
    const int blocks = pieces(product->units, kernel->units);
    product->block_units = round_up(pieces(product->units, blocks), GEMM_LINE);

    /* Tasks: of at most OWN_BYTES each, and several for each thread, which evens out what else the
     * machine does. Sums do not know. */
    const int step = own->rows ? kernel->rows : kernel->width;
    const int most = int_max(1, OWN_BYTES / 4 / product->block_units / step);
    const int threads = pool_threads(product->pool);
    const int panels = pieces(own->extent, step);
    const double all = (double)own->extent * product->shared.extent * product->units;
    int tasks = pieces(panels, most);
    if (threads > 1 && all > SMALL)
        tasks = int_min(round_up(int_max(tasks, TASKS_PER_THREAD * threads), threads), panels);
    product->own_blocks = tasks;

    const double shared_bytes = 4.0 * product->shared.extent * product->block_units;
    product->shared_inside = own->rows != product->turned && shared_bytes <= 1.2 * OWN_BYTES;
}

static void product_run(struct pool *pool, const struct call *call)
{
    CHECK(call->M >= 0 && call->N >= 0 && call->K >= 0);
    if (call->M == 0 || call->N == 0) return;
    if (call->K == 0) {
        write_empty(call);
        return;
    }
    const struct gemm_kernel *kernel = choose_kernel(call->a.form);
    const struct operand *a = &call->a, *b = &call->b;
    struct side left = {.strip = {a->data, a->row, a->column, a->form, call->K}, .extent = call->M};
    struct side right = {.strip = {b->data, b->column, b->row, b->form, call->K},
                         .extent = call->N};
    struct product product = {.kernel = kernel,
                              .c = call->c,
                              .c_row = call->c_row,
                              .bias = call->bias,
                              .add = call->add,
                              .pool = pool};
    product.turned =
        role_cost(kernel, &right, &left, true) < role_cost(kernel, &left, &right, false);
    product.kernel = kernel_for_roles(kernel, product.turned);
    left.rows = !product.turned;
    right.rows = product.turned;
    product.own = call->M > call->N ? left : right;
    product.shared = call->M > call->N ? right : left;
    product.units = round_up(pieces(call->K, kernel->k_per_unit), GEMM_UNITS_STEP);
    choose_blocks(&product);

    /* The shared side is packed for as many blocks of k at a time as fit. */
    const struct side *shared = &product.shared;
    const size_t extent = (size_t)round_up(shared->extent, shared->rows ? 1 : kernel->width);
    const size_t bytes = extent * (size_t)product.block_units * sizeof(uint32_t);
    const int blocks = pieces(product.units, product.block_units);
    const int at_once = int_min(blocks, int_max(1, (int)(SHARED_BYTES / bytes)));
    product.shared_cut = cut_into_panels(kernel, shared->rows, shared->extent);
    product.packed = pool_scratch(pool, POOL_SHARED, (size_t)at_once * bytes);
    for (product.from = 0; product.from < blocks; product.from = product.to) {
        product.to = int_min(blocks, product.from + at_once);
        pool_run(product.own_blocks > 1 ? pool : NULL, pack_shared_task, &product,
                 (product.to - product.from) * product.shared_cut.panels);
        pool_run(pool, own_task, &product, product.own_blocks);
    }
}

static struct operand operand_f32(struct matrix matrix, enum gemm_form form)
{
    return (struct operand){matrix.data, matrix.row, matrix.column, form};
}

static struct operand operand_bf16(struct matrix_bf16 matrix)
{
    return (struct operand){matrix.data, matrix.row, matrix.column, GEMM_BF16};
}

void gemm_f32(struct pool *pool, float *c, ptrdiff_t c_row, struct matrix a, struct matrix b, int M,
              int N, int K, bool add)
{
    product_run(pool, &(struct call){.c = c,
                                     .c_row = c_row,
                                     .a = operand_f32(a, GEMM_F32),
                                     .b = operand_f32(b, GEMM_F32),
                                     .M = M,
                                     .N = N,
                                     .K = K,
                                     .add = add});
}

void gemm_bf16(struct pool *pool, float *c, ptrdiff_t c_row, struct matrix_bf16 a,
               struct matrix_bf16 b, int M, int N, int K, bool add)
{
    product_run(pool, &(struct call){.c = c,
                                     .c_row = c_row,
                                     .a = operand_bf16(a),
                                     .b = operand_bf16(b),
                                     .M = M,
                                     .N = N,
                                     .K = K,
                                     .add = add});
}

void gemm_int8(struct pool *pool, int32_t *c, ptrdiff_t c_row, struct matrix_u8 a,
               struct matrix_s8 b, int M, int N, int K, bool add)
{
    CHECK(K <= GEMM_INT8_K_LIMIT);
    product_run(pool, &(struct call){.c = c,
                                     .c_row = c_row,
                                     .a = {a.data, a.row, a.column, GEMM_U8},
                                     .b = {b.data, b.row, b.column, GEMM_S8},
                                     .M = M,
                                     .N = N,
                                     .K = K,
                                     .add = add});
}

void gemm_f32_plain(float *c, ptrdiff_t c_row, struct matrix a, struct matrix b, int M, int N,
                    int K, bool add)
{
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            float sum = 0.0f;
            for (int k = 0; k < K; k++)
                sum += a.data[m * a.row + k * a.column] * b.data[k * b.row + n * b.column];
            float *out = c + m * c_row + n;
            *out = add ? *out + sum : sum;
        }
}

/* ---- a linear layer ---- */

static struct operand stored(const void *data, ptrdiff_t row, ptrdiff_t column, enum gemm_form form)
{
    return (struct operand){data, row, column, form};
}

static void forward(struct pool *pool, float *y, struct operand x, struct operand w_transposed,
                    const float *bias, int M, int N, int K)
{
    product_run(
        pool,
        &(struct call){
            .c = y, .c_row = N, .a = x, .b = w_transposed, .bias = bias, .M = M, .N = N, .K = K});
}

struct column_sums {
    float *sums; /* += */
    const float *data;
    int M, N;
};

static void sums_task(void *context, int task, int worker)
{
    const struct column_sums *all = context;
    float sums[SUM_COLUMNS] = {0};
    const int from = task * SUM_COLUMNS, columns = int_min(SUM_COLUMNS, all->N - from);
    (void)worker;
    for (int m = 0; m < all->M; m++) {
        const float *row = all->data + (ptrdiff_t)m * all->N + from;
        for (int n = 0; n < columns; n++) sums[n] += row[n];
    }
    for (int n = 0; n < columns; n++) all->sums[from + n] += sums[n];
}

static void backward_weight(struct pool *pool, float *dw, float *dbias, const float *dy,
                            const float *x, int M, int N, int K, enum gemm_form form)
{
    product_run(pool, &(struct call){.c = dw,
                                     .c_row = K,
                                     .a = stored(dy, 1, N, form),
                                     .b = stored(x, K, 1, form),
                                     .M = N,
                                     .N = K,
                                     .K = M,
                                     .add = true});
    if (!dbias) return;
    struct column_sums sums = {dbias, dy, M, N};
    pool_run(pool, sums_task, &sums, pieces(N, SUM_COLUMNS));
}

void linear_forward(struct pool *pool, float *y, const float *x, const float *w, const float *bias,
                    int M, int N, int K)
{
    forward(pool, y, stored(x, K, 1, GEMM_F32), stored(w, 1, K, GEMM_F32), bias, M, N, K);
}

void linear_backward_input(struct pool *pool, float *dx, const float *dy, const float *w, int M,
                           int N, int K, bool add)
{
    product_run(pool, &(struct call){.c = dx,
                                     .c_row = K,
                                     .a = stored(dy, N, 1, GEMM_F32),
                                     .b = stored(w, K, 1, GEMM_F32),
                                     .M = M,
                                     .N = K,
                                     .K = N,
                                     .add = add});
}

void linear_backward_weight(struct pool *pool, float *dw, float *dbias, const float *dy,
                            const float *x, int M, int N, int K)
{
    backward_weight(pool, dw, dbias, dy, x, M, N, K, GEMM_F32);
}

void linear_forward_bf16(struct pool *pool, float *y, const float *x, const uint16_t *w,
                         const float *bias, int M, int N, int K)
{
    forward(pool, y, stored(x, K, 1, GEMM_ROUNDED), stored(w, 1, K, GEMM_BF16), bias, M, N, K);
}

void linear_backward_input_bf16(struct pool *pool, float *dx, const float *dy, const uint16_t *w,
                                int M, int N, int K, bool add)
{
    product_run(pool, &(struct call){.c = dx,
                                     .c_row = K,
                                     .a = stored(dy, N, 1, GEMM_ROUNDED),
                                     .b = stored(w, K, 1, GEMM_BF16),
                                     .M = M,
                                     .N = K,
                                     .K = N,
                                     .add = add});
}

void linear_backward_weight_bf16(struct pool *pool, float *dw, float *dbias, const float *dy,
                                 const float *x, int M, int N, int K)
{
    backward_weight(pool, dw, dbias, dy, x, M, N, K, GEMM_ROUNDED);
}
