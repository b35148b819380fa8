#include "flann.h"

#include <nanoflann.hpp>

namespace
{

struct Points {
    const double *axis[3];
    size_t n;

    size_t kdtree_get_point_count() const
    {
        return n;
    }
    double kdtree_get_pt(size_t i, size_t k) const
    {
        return axis[k][i];
    }
    template <class Box> bool kdtree_get_bbox(Box &) const
    {
        return false;
    }
};

using Tree = nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Points>,
                                                 Points, 3, unsigned>;

struct Flann {
    Points points;
    Tree tree;

    explicit Flann(const Points &p)
        : points(p), tree(3, points, nanoflann::KDTreeSingleIndexAdaptorParams(10))
    {
        tree.buildIndex();
    }
};

} // namespace

void *
flann_new(const double *x, const double *y, const double *z, size_t n)
{
    return new Flann(Points{{x, y, z}, n});
}

void
flann_free(void *tree)
{
    delete static_cast<Flann *>(tree);
}

size_t
flann_nearest(const void *tree, const double q[3])
{
    const Flann *f = static_cast<const Flann *>(tree);
    unsigned i = 0;
    double d2 = 0;

    f->tree.knnSearch(q, 1, &i, &d2);
    return i;
}

size_t
flann_bytes(const void *tree)
{
    Flann *f = static_cast<Flann *>(const_cast<void *>(tree));

    return f->tree.usedMemory(f->tree);
}
