#include "infer/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/locale.h"
#include "base/rng.h"
#include "base/text.h"

enum status sampler_init(struct sampler *sampler, const struct sampler_settings *settings, int V,
                         struct error *err)
{
    *sampler = (struct sampler){0};
    if (!(settings->temperature >= 0 && settings->temperature <= 100))
        return error_set(err, STATUS_USAGE, _("temperature is %g, it must be 0 to 100"),
                         settings->temperature);
    if (settings->top_k < 0)
        return error_set(err, STATUS_USAGE, _("top-k is %d, it must be 0 (all) or more"),
                         settings->top_k);
    if (!(settings->top_p > 0 && settings->top_p <= 1))
        return error_set(err, STATUS_USAGE, _("top-p is %g, it must be above 0 and at most 1"),
                         settings->top_p);
    CHECK(V >= 1);
    *sampler = (struct sampler){.settings = *settings, .V = V};
    sampler->candidates = memory_new((size_t)V, sizeof *sampler->candidates);
    return STATUS_OK;
}

void sampler_done(struct sampler *sampler)
{
    free(sampler->candidates);
    *sampler = (struct sampler){0};
}

static int32_t likeliest(const float *logits, int V)
{
    int32_t best = 0;
    for (int32_t i = 1; i < V; i++)
        if (logits[i] > logits[best] || isnan(logits[best])) best = i;
    return best;
}

/* The likelier first; of equals, the smaller id. */
static int by_logit(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

int32_t sampler_draw(struct sampler *sampler, const float *logits, uint64_t position)
{
    const struct sampler_settings *settings = &sampler->settings;
    struct candidate *candidates = sampler->candidates;
    int n = sampler->V;
    if (settings->temperature == 0) return likeliest(logits, n);

    for (int32_t i = 0; i < n; i++)
        candidates[i] = (struct candidate){isnan(logits[i]) ? -INFINITY : logits[i], i};
    const bool cut = (settings->top_k > 0 && settings->top_k < n) || settings->top_p < 1;
    if (cut) qsort(candidates, (size_t)n, sizeof *candidates, by_logit);
    float most = candidates[0].logit;
    for (int i = 1; i < n; i++)
        if (candidates[i].logit > most) most = candidates[i].logit;
    if (!isfinite(most)) return likeliest(logits, n);
    if (settings->top_k > 0 && settings->top_k < n) n = settings->top_k;

    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp(((double)candidates[i].logit - (double)most) / settings->temperature);
    if (settings->top_p < 1) {
        double reached = 0;
        int kept = 0;
        while (kept < n && reached < settings->top_p * sum)
            reached +=
                exp(((double)candidates[kept++].logit - (double)most) / settings->temperature);
        n = kept;
        sum = reached;
    }

    struct rng rng;
    rng_init(&rng, settings->seed, position);
    double left = rng_uniform(&rng) * sum;
    for (int i = 0; i < n; i++) {
        left -= exp(((double)candidates[i].logit - (double)most) / settings->temperature);
        if (left < 0) return candidates[i].id;
    }
    return candidates[n - 1].id; /* the sum was rounded */
}
