// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../contracts/interfaces/IBuildLog.sol";
import {IIdentityRegistry} from "../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "./support/Deployed.sol";
import {Eip712} from "./support/Eip712.sol";

/// @title What is signed for one act is of no use for another, nor elsewhere
/// @notice One account is owner, licensor, licensee, writer and possessor, so that nothing but type
/// and domain tells its signatures apart; somebody else submits them.
contract SignatureTypesTest is Deployed {
    uint256 internal constant ACTS = 6;
    uint256 internal constant KEY = 0xB1;

    address internal everybody = vm.addr(KEY);
    bytes32 internal everybodyId;
    bytes32 internal design;
    bytes32 internal root;
    uint40 internal lane;
    bytes internal record;
    uint256 internal part;

    function setUp() public override {
        super.setUp();
        vm.prank(everybody);
        everybodyId = identities.register(IIdentityRegistry.Kind.Organization, "salt", "profile");
        design = _design(everybody, "salt");
        vm.prank(operator);
        uint40 number = log.open(operatorId, everybody, 0);
        ILicenseRegistry.Terms memory terms = _rootTerms(0);
        root = licenses.licenseId(terms);
        (, lane) = licenses.grant(terms, _sign(KEY, root), "");
        vm.prank(everybody);
        uint40 drawn = licenses.split(lane, UNITS + 1, 10, number, siteId);
        _log(number, drawn);
    }

    function test_EachSignatureServesItsOwnActAlone() public {
        for (uint256 act = 0; act < ACTS; ++act) {
            for (uint256 signed = 0; signed < ACTS; ++signed) {
                bytes memory signature = _sign(KEY, _digest(signed, _domainOf(signed)));

                vm.assertEq(_does(act, signature), act == signed, _name(act));
            }
        }
    }

    function test_NoSignatureServesAnotherChainContractNameOrVersion() public {
        for (uint256 act = 0; act < ACTS; ++act) {
            Domain[4] memory others =
                [_domainOf(act), _domainOf(act), _domainOf(act), _domainOf(act)];
            others[0].chain += 1;
            others[1].verifier = act < 4 ? address(parts) : address(licenses);
            others[2].name = act < 4 ? Eip712.PARTS : Eip712.LICENSES;
            others[3].version = "2";
            for (uint256 i = 0; i < others.length; ++i) {
                vm.assertFalse(_does(act, _sign(KEY, _digest(act, others[i]))), _name(act));
            }
            vm.assertTrue(_does(act, _sign(KEY, _digest(act, _domainOf(act)))), _name(act));
        }
    }

    function test_NoSignatureServesWithAHighS() public {
        for (uint256 act = 0; act < ACTS; ++act) {
            bytes memory signature = _sign(KEY, _digest(act, _domainOf(act)));

            vm.assertFalse(_does(act, _malleate(signature)), _name(act));
        }
    }

    /// @dev In front of whom it was meant for: once, and with the same outcome (T15).
    function test_ASignatureThatSomebodyElseSubmitsFirstHasItsOneEffect() public {
        ILicenseRegistry.Terms memory terms = _rootTerms(1);
        bytes memory signature = _sign(KEY, licenses.licenseId(terms));
        vm.prank(stranger);
        (uint40 number,) = licenses.grant(terms, signature, "");

        _refuse(
            maker,
            abi.encodeWithSelector(
                ILicenseRegistry.LicenseGrantedAlready.selector, licenses.licenseId(terms)
            )
        );
        licenses.grant(terms, signature, "");

        vm.assertEq(licenses.numberOf(licenses.licenseId(terms)), number, "the same license");
        vm.assertEq(
            licenses.holderOf(licenses.firstLaneOf(number)), everybodyId, "his who is named"
        );
    }

    struct Domain {
        string name;
        string version;
        uint256 chain;
        address verifier;
    }

    /// @dev Tries an act with a signature and undoes it.
    function _does(uint256 act, bytes memory signature) private returns (bool isDone) {
        uint256 snapshot = vm.snapshotState();
        bytes memory call = _call(act, signature);
        vm.prank(act < 4 ? stranger : siteManager);
        (isDone,) = (act < 4 ? address(licenses) : address(parts)).call(call);
        vm.revertToState(snapshot);
    }

    function _call(uint256 act, bytes memory signature) private view returns (bytes memory) {
        uint40 end = licenses.lane(lane).end;
        if (act == 0) return abi.encodeCall(licenses.grant, (_rootTerms(1), signature, ""));
        if (act == 1) {
            ILicenseRegistry.Terms memory owing = _owing();
            bytes memory owners = _sign(KEY, licenses.licenseId(owing));
            return abi.encodeCall(licenses.grant, (owing, owners, signature));
        }
        if (act == 2) {
            return abi.encodeCall(licenses.sublicense, (lane, end, _childTerms(), signature, ""));
        }
        if (act == 3) {
            return abi.encodeCall(licenses.extend, (root, UNITS, 5, _now(), signature));
        }
        if (act == 4) return abi.encodeCall(parts.voidPart, (_logged(), 0, signature));
        bytes memory writers = _sign(KEY, _supersedeDigest(part, uint64(part) + 1));
        return abi.encodeCall(parts.supersede, (_logged(), 0, uint64(part) + 1, writers, signature));
    }

    function _logged() private view returns (IBuildLog.Record memory) {
        return abi.decode(record, (IBuildLog.Record));
    }

    function _digest(uint256 act, Domain memory domain) private view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256(bytes(domain.name)),
                keccak256(bytes(domain.version)),
                domain.chain,
                domain.verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, _content(act)));
    }

    function _content(uint256 act) private view returns (bytes32) {
        if (act == 0) return Eip712.terms(_rootTerms(1));
        if (act == 1) return Eip712.acceptance(_owing());
        if (act == 2) return Eip712.sublicense(lane, licenses.lane(lane).end, _childTerms());
        if (act == 3) return Eip712.extension(root, 0, UNITS, 5, _now());
        if (act == 4) return Eip712.voidPart(part);
        return Eip712.supersede(part, uint64(part) + 1);
    }

    function _domainOf(uint256 act) private view returns (Domain memory) {
        if (act < 4) return Domain(Eip712.LICENSES, "1", block.chainid, address(licenses));
        return Domain(Eip712.PARTS, "1", block.chainid, address(parts));
    }

    function _name(uint256 act) private pure returns (string memory) {
        return ["grant", "accept", "sublicense", "extend", "void", "supersede"][act];
    }

    function _rootTerms(uint256 nonce) private view returns (ILicenseRegistry.Terms memory terms) {
        terms = _terms(design);
        terms.holder = everybodyId;
        terms.nonce = nonce;
        terms.offerUntil = START + 10_000;
    }

    function _owing() private view returns (ILicenseRegistry.Terms memory terms) {
        terms = _rootTerms(2);
        terms.royalty = 1;
    }

    function _childTerms() private view returns (ILicenseRegistry.Terms memory terms) {
        terms = _termsUnder(lane, makerId);
        terms.offerUntil = START + 10_000;
    }

    /// @dev Two builds, the first of them a token of everybody's.
    function _log(uint40 number, uint40 drawn) private {
        IBuildLog.Record memory logged =
            _append(number, 1, _leaf(_entry(), "salt"), _draws(drawn, 1));
        record = abi.encode(logged);
        _append(number, 1, "second", _noDraws());
        vm.prank(siteManager);
        part = parts.materialise(logged, 0, _entry(), "salt", new bytes32[](0), everybody);
    }
}
