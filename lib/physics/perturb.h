/* perturb -- the random changes that make one snapshot into many.
 *
 * Each is uniform in its range, or fixed, or off. The draws depend on (seed,
 * snapshot, round, point) alone.
 */
#ifndef IRIS_PERTURB_H
#define IRIS_PERTURB_H

#include <stdint.h>

/* A range wins over a factor; NaN is off. */
struct iris_perturb_law {
    double scale, scale_range[2];     /* of positions and velocities */
    double skew, skew_range[2];       /* stretch of the plane, see below */
    double density, density_range[2]; /* of densities */
    int jitter_r, jitter_lon;
    double jitter_r_range[2];   /* pc */
    double jitter_lon_range[2]; /* deg */
    int per_snapshot;           /* one draw for all points of a snapshot */
};

/* What was drawn; NaN where a perturbation is off. */
struct iris_perturbation {
    double scale;
    double skew, skew_angle; /* angle in deg */
    double density;
    double jitter_r;   /* pc, added to the observer's radius */
    double jitter_lon; /* deg, added to both ends of the longitudes */
};

/* A perturbation that changes nothing. */
void iris_perturb_none(struct iris_perturbation *p);

/*   in   snapshot  iris_hash64 of the snapshot's id
 *   in   point     below 2^24
 *   source  uniform draws as the reference's; the generator is ours
 */
void iris_perturb_draw(const struct iris_perturb_law *law, uint64_t seed, uint64_t snapshot,
                       uint32_t round, uint32_t point, struct iris_perturbation *p);

/* The linear map x' = M x of positions and velocities about the centre:
 * M = scale * [[a, b, 0], [b, c, 0], [0, 0, 1]] with
 * [[a, b], [b, c]] = Rot(angle) diag(skew, 1/skew) Rot(-angle).
 */
struct iris_linear_map {
    double scale;
    double a, b, c;
    int skewed;       /* 0: a = c = 1, b = 0 exactly */
    double min_norm2; /* smallest |M x|^2 / |scale x|^2 over all x */
};
void iris_perturb_map(const struct iris_perturbation *p, struct iris_linear_map *m);

#endif
