package trust

import "math/big"

// rocaLargestPrime is the largest prime of the primorial that Infineon's library
// built keys of 1984 bits and more from; larger keys have larger primes as well.
const rocaLargestPrime = 701

// isROCA reports whether n is the modulus of a key that can be factored because
// of how Infineon's library made it (CVE-2017-15361, in smart cards and TPMs).
// Modulo every prime up to 701 such a modulus is a power of 65537; of another one
// that is to be expected once in more than 2²⁰⁰. Nearly all others are known by
// the first prime or two.
func isROCA(n *big.Int) bool {
	for p := int64(11); p <= rocaLargestPrime; p += 2 { // below 11 every residue is a power
		if !isSmallPrime(p) {
			continue
		}
		if !isPowerOf65537(new(big.Int).Mod(n, big.NewInt(p)).Int64(), p) {
			return false
		}
	}
	return true
}

func isPowerOf65537(residue, p int64) bool {
	for power := int64(1); ; {
		if power == residue {
			return true
		}
		power = power * 65537 % p
		if power == 1 {
			return false
		}
	}
}

func isSmallPrime(p int64) bool {
	for d := int64(3); d*d <= p; d += 2 {
		if p%d == 0 {
			return false
		}
	}
	return true
}
